// Command ebb raises an alert when a customer is about to leave. It reads events from Kafka, keeps state in Redis and
// writes alerts to Kafka.
//
// Its exit codes are stable:
//
//	0    done, or stopped as asked where the command runs until it is stopped (run, alerts)
//	1    failed; the message has the reason (packs diff: they differ)
//	2    the command line or the configuration is wrong; nothing was begun (packs diff: or they could not be compared)
//	3    a hard stop: a condition that a person has to decide on (docs/runbook.md)
//	130  Ctrl-C before the work was done (143: SIGTERM)
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/terminal"
)

func main() {
	p := process{args: os.Args[1:], environ: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.run(context.Background(), os.Exit))
}

// process is the program's access to its surroundings.
type process struct {
	args, environ  []string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// run executes the command line and returns the exit code. The first SIGINT or SIGTERM cancels the command's context,
// with the signal as the cause; the second calls exit at once.
func (p process) run(ctx context.Context, exit func(int)) int {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	var watching sync.WaitGroup
	watching.Go(func() { watchSignals(signals, cancel, exit) })
	defer watching.Wait()
	defer close(signals)
	defer signal.Stop(signals)

	root := newRootCommand(p.environ)
	root.SetArgs(p.args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	return report(ctx, terminal.NewScreen(p.stderr, p.environ), cmd, err)
}

// watchSignals turns the first signal into a cancelled context and the second into an exit.
func watchSignals(signals <-chan os.Signal, cancel context.CancelCauseFunc, exit func(int)) {
	first, ok := <-signals
	if !ok {
		cancel(nil)
		return
	}
	cancel(advice.Stopped{Signal: first.(syscall.Signal)}) //nolint:forcetypeassert // Notify sends registered signals
	if second, again := <-signals; again {
		exit(128 + int(second.(syscall.Signal))) //nolint:forcetypeassert // as above
	}
}
