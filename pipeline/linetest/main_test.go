//go:build integration

package linetest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ebb/pipeline/linetest/services"
)

// program is the built binary. TestMain sets it, and nothing changes it afterwards.
var program string

// TestMain builds the program and finds or starts the services, once.
func TestMain(m *testing.M) {
	if address := os.Getenv(hookAddress); address != "" { // this process is a receiver of webhooks
		serveHook(address)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ebb-linetest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system cleans up otherwise
	program = filepath.Join(dir, "ebb")
	if out, err := exec.Command("go", "build", "-o", program, "ebb/cmd/ebb").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	return services.Main(m, services.Kafka, services.Redis)
}

func kafkaAddress() string { return os.Getenv(services.Kafka) }
func redisAddress() string { return os.Getenv(services.Redis) }
