// Command faults does to Kafka and Redis what running clusters do to them, one fault after the other, while the real
// program works, and measures how long it takes until the program says so. It is called by "task faults", which writes
// the table of docs/faults.md.
//
// Each fault has a group, topics and a process of its own, on one Kafka and one Redis that the command starts for
// itself on free ports. A seeded shop writes events all the while. Once the program has said what is wrong, by a line
// of its log or in /readyz, its alerts are held against the fold of package oracle, which shares no code with it: they
// are right, or it stopped before a wrong one. Then what the program advises is done as it stands, and the run goes on
// to the end of the input, where the alerts have to be those of the fold again.
//
// The command fails where a fault is not said within a minute, where the program is ready while its alerts are wrong,
// where an alert is wrong, missing or published twice, or where the advice does not mend it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options is the command line.
type options struct {
	only    string // a part of the names of the faults to do; empty: all
	list    bool
	keep    bool
	verbose bool
	write   string // file of the table; empty: none
	program string
	shared  string
}

func readOptions(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("faults", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.only, "only", "", "do the faults whose names hold this alone")
	f.BoolVar(&o.list, "list", false, "list the faults")
	f.BoolVar(&o.keep, "keep", false, "keep the folder of the logs in any case")
	f.BoolVar(&o.verbose, "v", false, "show the lines and answers by which the program says what is wrong")
	f.StringVar(&o.write, "write", "", "write the table into this document, between its marks; needs all faults")
	f.StringVar(&o.program, "program", "bin/ebb", "the program")
	f.StringVar(&o.shared, "shared", "../shared", "folder with the services (testenv)")
	if err = f.Parse(args); err == nil && o.write != "" && o.only != "" {
		err = errors.New("-write needs all faults")
	}
	return o, err
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// command carries out the command line and gives the exit code: 1 where the program did not pass a fault.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := readOptions(args, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "faults:", err)
		}
		return 2
	}
	chosen := choose(o.only)
	if o.list {
		for _, f := range chosen {
			fmt.Fprintln(stdout, f.name)
		}
		return 0
	}
	rows, err := carryOut(ctx, &o, chosen, stderr)
	if err == nil {
		err = show(stdout, &o, rows)
	}
	if err == nil {
		err = failed(rows)
	}
	if err != nil {
		fmt.Fprintln(stderr, "faults:", err)
		return 1
	}
	return 0
}

func choose(part string) (chosen []fault) {
	for _, f := range faults() {
		if strings.Contains(f.name, part) {
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// carryOut does the faults one after the other, for some configure the servers, and takes down what it started.
func carryOut(ctx context.Context, o *options, chosen []fault, stderr io.Writer) (rows []row, err error) {
	dir, err := os.MkdirTemp("", "ebb-faults-")
	if err != nil {
		return nil, err
	}
	s, err := startServices(ctx, o.shared, filepath.Join(dir, "services"))
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, s.stop(context.WithoutCancel(ctx)))
		if err == nil && failed(rows) == nil && !o.keep {
			err = os.RemoveAll(dir)
		} else {
			fmt.Fprintln(stderr, "logs:", dir)
		}
	}()
	for i, f := range chosen {
		began := time.Now()
		r := one(ctx, o, s, filepath.Join(dir, fmt.Sprintf("%02d", i+1)), f, stderr)
		if ctx.Err() != nil {
			return rows, context.Cause(ctx)
		}
		rows = append(rows, r)
		fmt.Fprintf(stderr, "%d of %d, %.0f s: %v\n", i+1, len(chosen), time.Since(began).Seconds(), &r)
	}
	return rows, nil
}

// one does one fault. What goes wrong stands in the row.
func one(ctx context.Context, o *options, s *services, dir string, f fault, stderr io.Writer) (r row) {
	r.Fault = f.name
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	t, err := newTrial(ctx, o, s, dir)
	if err == nil {
		t.row = &r
		if o.verbose {
			t.verbose = stderr
		}
		err = f.do(t)
	}
	if t != nil {
		err = errors.Join(err, t.close(context.WithoutCancel(ctx)))
	}
	if err != nil {
		r.Err = err.Error()
	}
	return r
}
