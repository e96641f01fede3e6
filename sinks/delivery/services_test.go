//go:build integration

package delivery_test

import (
	"os"
	"testing"

	"ebb/pipeline/linetest/services"
)

// TestMain finds or starts the Kafka that the tests of this package talk to.
func TestMain(m *testing.M) { os.Exit(services.Main(m, services.Kafka)) }
