//go:build integration

package images_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	image = "ebb-test/ebb:built"
	root  = "../../.."
)

// TestImage builds the image and the compose file's services, and puts a shop's events through them.
func TestImage(t *testing.T) {
	build(t)
	t.Run("contents", contents)
	t.Run("compose", compose)
}

// build makes the image as in the README, on a Go image of this machine's toolchain unless one is named.
func build(t *testing.T) {
	t.Helper()
	base := os.Getenv("EBB_TEST_GO_IMAGE")
	if base == "" {
		base = toolchain(t)
	}
	proxy := strings.TrimSpace(run(t, "go", "env", "GOPROXY"))
	run(t, "docker", "build", "--network", "host", "-f", filepath.Join(root, "deployments", "Dockerfile"), "-t", image,
		"--build-arg", "GO_IMAGE="+base, "--build-arg", "GOPROXY="+proxy, "--build-arg", "VERSION=v9.9.9-test", root)
}

// toolchain imports this machine's Go toolchain as an image that holds nothing else but certificate authorities.
func toolchain(t *testing.T) string {
	t.Helper()
	name := "ebb-test/golang:" + runtime.Version()
	if exec.Command("docker", "image", "inspect", name).Run() == nil {
		return name
	}
	goroot := strings.TrimSpace(run(t, "go", "env", "GOROOT"))
	cmd := exec.CommandContext(t.Context(), "docker", "import",
		"-c", "ENV PATH=/usr/local/go/bin GOCACHE=/tmp/cache GOPATH=/go GOTOOLCHAIN=local", "-", name)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(stdin)
	for dir, into := range map[string]string{
		filepath.Join(goroot, "bin"): "usr/local/go/bin", filepath.Join(goroot, "pkg"): "usr/local/go/pkg",
		filepath.Join(goroot, "src"): "usr/local/go/src", filepath.Join(goroot, "go.env"): "usr/local/go/go.env",
		filepath.Join(goroot, "VERSION"):     "usr/local/go/VERSION",
		"/etc/ssl/certs/ca-certificates.crt": "etc/ssl/certs/ca-certificates.crt",
	} {
		if err := pack(w, dir, into); err != nil {
			t.Fatalf("pack %s: %v", dir, err)
		}
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("docker import: %v\n%s", err, said.String())
	}
	return name
}

// pack adds a file or a folder to w.
func pack(w *tar.Writer, from, into string) error {
	return filepath.Walk(from, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if info.IsDir() && info.Name() == "testdata" {
			return filepath.SkipDir
		}
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
		if info, err = os.Stat(path); err != nil || info.IsDir() {
			return err
		}
		within, err := filepath.Rel(from, path)
		if err != nil || strings.HasPrefix(within, "..") {
			within = "."
		}
		header := &tar.Header{
			Name:    filepath.Join(into, within),
			Mode:    int64(info.Mode().Perm()),
			Size:    info.Size(),
			ModTime: info.ModTime(),
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	})
}

// contents: one program, static and of the requested version, no shell, not root.
func contents(t *testing.T) {
	said := run(t, "docker", "run", "--rm", "--read-only", "--network", "none", image, "--version")
	if !strings.Contains(said, "v9.9.9-test") {
		t.Errorf("version %q", said)
	}
	var config []struct{ Config struct{ User string } }
	decode(t, run(t, "docker", "image", "inspect", image), &config)
	if u := config[0].Config.User; u != "65532:65532" {
		t.Errorf("runs as %q", u)
	}
	id := strings.TrimSpace(run(t, "docker", "create", image))
	defer run(t, "docker", "rm", id)
	var files []string
	for r := tar.NewReader(strings.NewReader(run(t, "docker", "export", id))); ; {
		h, err := r.Next()
		if err != nil {
			break
		}
		if h.Typeflag == tar.TypeReg && h.Size > 0 {
			files = append(files, h.Name)
		}
	}
	if want := []string{"ebb", "etc/ssl/certs/ca-certificates.crt"}; !slices.Equal(files, want) {
		t.Errorf("files %q, want %q", files, want)
	}
}

// compose starts everything, sends a shop's events from outside, and reads their alerts.
func compose(t *testing.T) {
	project := fmt.Sprintf("ebbtest%d", os.Getpid())
	kafka, http := port(t), port(t)
	command := []string{"docker-compose"}
	if exec.Command("docker", "compose", "version").Run() == nil {
		command = []string{"docker", "compose"}
	}
	command = append(command, "-p", project, "-f", filepath.Join(root, "deployments", "compose.yaml"))
	environ := append(os.Environ(), "EBB_IMAGE="+image, "KAFKA_PORT="+kafka, "EBB_PORT="+http, "REDIS_PORT="+port(t))
	for variable, test := range map[string]string{
		"KAFKA_IMAGE": "EBB_TEST_KAFKA_IMAGE",
		"REDIS_IMAGE": "EBB_TEST_REDIS_IMAGE",
	} {
		if name := os.Getenv(test); name != "" {
			environ = append(environ, variable+"="+name)
		}
	}
	services := func(args ...string) string {
		t.Helper()
		return runIn(t, environ, append(slices.Clone(command), args...)...)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		args := append(command[1:], "down", "--volumes", "--timeout", "5")
		cmd := exec.CommandContext(ctx, command[0], args...)
		cmd.Env = environ
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	})
	services("up", "--detach", "--no-build")
	container := strings.TrimSpace(services("ps", "-q", "ebb"))
	var state []struct {
		State      struct{ Health struct{ Status string } }
		HostConfig struct{ ReadonlyRootfs bool }
	}
	for end := time.Now().Add(90 * time.Second); ; {
		decode(t, run(t, "docker", "inspect", container), &state)
		if state[0].State.Health.Status == "healthy" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("ebb is %q\n%s", state[0].State.Health.Status, services("logs", "--tail", "50"))
		}
		<-time.After(200 * time.Millisecond)
	}
	if !state[0].HostConfig.ReadonlyRootfs {
		t.Error("the container can write to its root")
	}

	program := filepath.Join(t.TempDir(), "ebb")
	run(t, "go", "build", "-o", program, "ebb/cmd/ebb")
	outside := append(os.Environ(), "EBB_KAFKA_BROKERS=127.0.0.1:"+kafka, "EBB_HTTP_LISTEN=127.0.0.1:"+http)
	shop := filepath.Join(t.TempDir(), "shop.ndjson")
	err := os.WriteFile(
		shop,
		[]byte(runIn(t, outside, program, "simulate", "--customers", "300", "--seed", "5")),
		0o600,
	)
	if err != nil {
		t.Fatal(err)
	}
	runIn(t, outside, program, "produce", shop)
	for end := time.Now().Add(time.Minute); ; {
		alerts := strings.Count(runIn(t, outside, program, "alerts", "--from-start", "--until-end", "--json"), "\n")
		if alerts >= 100 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d alerts\n%s", alerts, services("logs", "--tail", "50", "ebb"))
		}
		<-time.After(500 * time.Millisecond)
	}
	if said := runIn(t, outside, program, "health", "--ready"); !strings.HasPrefix(said, "ready") {
		t.Errorf("health says %q", said)
	}
}

// port is a free one.
func port(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, p, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func run(t *testing.T, command ...string) string {
	t.Helper()
	return runIn(t, os.Environ(), command...)
}

// runIn returns the command's stdout. A command that fails, or does not exist, fails the test.
func runIn(t *testing.T, environ []string, command ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = environ, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(command, " "), err, tail(stdout.String()), tail(stderr.String()))
	}
	return stdout.String()
}

func tail(s string) string { return s[max(0, len(s)-4000):] }

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, tail(text))
	}
}
