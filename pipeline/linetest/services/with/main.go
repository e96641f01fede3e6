//go:build integration

// Command with runs a command with a Kafka and a Redis that several packages' integration tests share, and exits with
// its exit code:
//
//	go run -tags integration ./pipeline/linetest/services/with go test -tags integration ./...
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"ebb/pipeline/linetest/services"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: with COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := services.With(ctx, func() int { return run(ctx, os.Args[1:]) }, services.Kafka, services.Redis)
	stop()
	os.Exit(code)
}

// run returns the command's exit code; 1 where it has none of its own.
func run(ctx context.Context, command []string) int {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "with:", err)
	return 1
}
