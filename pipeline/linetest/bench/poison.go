package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"text/tabwriter"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Topics of the poisoned runs.
const (
	poisonedInput = "bench.poisoned"
	poisonedDLQ   = poisonedInput + ".dlq"
)

// slowest is the share of the clean run's rate that the poisoned one has to keep.
const slowest = 0.7

// poisonReport is the result with a million poisoned records among five million.
type poisonReport struct {
	Commit   string  `json:"commit"`
	Machine  string  `json:"machine"`
	Load     options `json:"load"`
	Sent     *digest `json:"sent"` // poisoned records
	Clean    []run   `json:"clean"`
	Poisoned []run   `json:"poisoned"`
	Share    float64 `json:"share"` // of the clean rate, medians
	Breaker  breaker `json:"breaker"`
}

// breaker is a run with a breaker that trips at a fifth of poisoned records.
type breaker struct {
	Share       float64 `json:"share"`
	Stopped     int     `json:"partitions_stopped"`
	Quarantined int64   `json:"quarantined"`
}

// measurePoison compares a topic in which every fifth record cannot be used with its original.
func measurePoison(ctx context.Context, o *options, say io.Writer) (*poisonReport, error) {
	if o.runs < 1 {
		return nil, errors.New("-runs: at least one")
	}
	r := &poisonReport{Commit: commit(ctx), Machine: machine(), Load: *o}
	return r, filled(ctx, o, say, func(b *bench) error { return b.allPoison(ctx, r) })
}

func (b *bench) allPoison(ctx context.Context, r *poisonReport) (err error) {
	fmt.Fprintf(b.say, "poisoning every %dth record\n", poisonEvery)
	if r.Sent, err = b.poison(ctx, poisonedInput); err != nil {
		return fmt.Errorf("fill the poisoned topic: %w", err)
	}
	for i := range b.runs {
		clean, err := b.groupOn(ctx, fmt.Sprintf("clean-%d", i), input, settings(0.5))
		if err != nil {
			return err
		}
		fast, err := clean.run(ctx)
		if err != nil {
			return fmt.Errorf("clean run %d: %w", i+1, err)
		}
		slow, err := b.poisonRun(ctx, i, r.Sent)
		if err != nil {
			return fmt.Errorf("poisoned run %d: %w", i+1, err)
		}
		r.Clean, r.Poisoned = append(r.Clean, *fast), append(r.Poisoned, *slow)
		fmt.Fprintf(
			b.say,
			"run %d of %d: clean %.0f records/s, poisoned %.0f records/s; all %d quarantined\n",
			i+1,
			b.runs,
			fast.EventsPerSecond,
			slow.EventsPerSecond,
			slow.Quarantined,
		)
	}
	r.Share = rate(r.Poisoned).Median / rate(r.Clean).Median
	if r.Breaker, err = b.breakerRun(ctx, 0.1); err != nil {
		return fmt.Errorf("run with the breaker at 0.1: %w", err)
	}
	return nil
}

func rate(runs []run) spread {
	r := report{Runs: runs}
	return r.of(func(r *run) float64 { return r.EventsPerSecond })
}

// settings are those of the input, with a size limit so low that many records can exceed it.
func settings(breaker float64) string {
	return fmt.Sprintf("input: {max_record_bytes: %d, poison_breaker: %g}\n", largestRecord, breaker)
}

// poisonRun processes the poisoned topic with the default breaker, and compares the DLQ with what was sent.
func (b *bench) poisonRun(ctx context.Context, i int, sent *digest) (*run, error) {
	g, err := b.groupOn(ctx, fmt.Sprintf("poisoned-%d", i), poisonedInput, settings(0.5))
	if err != nil {
		return nil, err
	}
	if err := g.check(ctx); err != nil {
		return nil, err
	}
	from, err := b.ends(ctx, poisonedDLQ)
	if err != nil {
		return nil, err
	}
	r, err := g.run(ctx)
	if err != nil {
		return nil, err
	}
	got := newDigest()
	if err := b.each(ctx, poisonedDLQ, from, got.addQuarantined); err != nil {
		return nil, err
	}
	if diff := got.differs(sent); diff != "" {
		return nil, fmt.Errorf("the DLQ holds %s", diff)
	}
	if r.Quarantined != uint64(sent.Records) {
		return nil, fmt.Errorf("the summary says %d quarantined, not %d", r.Quarantined, sent.Records)
	}
	return r, nil
}

// breakerRun processes the poisoned topic with a breaker that trips: each partition stops after it has quarantined
// exactly what the breaker allows.
func (b *bench) breakerRun(ctx context.Context, share float64) (out breaker, err error) {
	out.Share = share
	g, err := b.groupOn(ctx, "tripped", poisonedInput, settings(share))
	if err != nil {
		return out, err
	}
	if err := g.check(ctx); err != nil {
		return out, err
	}
	from, err := b.ends(ctx, poisonedDLQ)
	if err != nil {
		return out, err
	}
	var stderr bytes.Buffer
	cmd := g.command(ctx, "--until-end")
	cmd.Stderr = &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	const hardStop = 3
	if !errors.As(err, &exit) || exit.ExitCode() != hardStop {
		return out, fmt.Errorf("it did not stop: %w\n%s", err, stderr.Bytes())
	}
	for line := range bytes.Lines(stderr.Bytes()) {
		if bytes.Contains(line, []byte(`"code":"input_poisoned"`)) && bytes.Contains(line, []byte(`"partition stopped"`)) {
			out.Stopped++
		}
	}
	err = b.each(ctx, poisonedDLQ, from, func(*kgo.Record) error { out.Quarantined++; return nil })
	if err != nil {
		return out, err
	}
	if want := int64(share * 1000 * float64(b.Partitions)); out.Stopped != b.Partitions || out.Quarantined != want {
		return out, fmt.Errorf(
			"%d of %d partitions stopped with %d records in the DLQ, not %d",
			out.Stopped,
			b.Partitions,
			out.Quarantined,
			want,
		)
	}
	return out, nil
}

func (r *poisonReport) write(w io.Writer, asJSON bool) error {
	var late error
	if r.Share < slowest {
		late = fmt.Errorf("the poisoned runs keep %.2f of the clean ones' rate, less than %.2f", r.Share, slowest)
	}
	if asJSON {
		return errors.Join(json.NewEncoder(w).Encode(r), late)
	}
	fmt.Fprintf(
		w,
		"ebb %s on %s\n%d records, every %dth poisoned: %d of %d bytes, %d codes in turn; %d customers, %d partitions, "+
			"seed %d\n\n",
		r.Commit,
		r.Machine,
		r.Load.Events,
		poisonEvery,
		r.Sent.Records,
		r.Sent.Bytes,
		len(r.Sent.Codes),
		r.Load.Customers,
		r.Load.Partitions,
		r.Load.Seed,
	)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\trecords/s, median\tmin\tmax\tCPU ns/record\tKafka CPU\tRedis CPU\tpeak RSS MiB\t\n")
	for _, row := range []struct {
		name string
		runs []run
	}{{"clean", r.Clean}, {"poisoned", r.Poisoned}} {
		s := rate(row.runs)
		of := report{Runs: row.runs}
		fmt.Fprintf(
			t,
			"%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t\n",
			row.name,
			s.Median,
			s.Min,
			s.Max,
			of.of(func(r *run) float64 { return r.CPU }).Median,
			of.of(func(r *run) float64 { return r.KafkaCPU }).Median,
			of.of(
				func(r *run) float64 { return r.RedisCPU },
			).Median,
			of.of(func(r *run) float64 { return float64(r.MaxRSS) / (1 << 20) }).Median,
		)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(
		w,
		"\n%.2f of the clean rate; in the DLQ of every run all of them, byte for byte, none twice\nbreaker at %g: %d of %d "+
			"partitions stopped, %d records in the DLQ\n",
		r.Share,
		r.Breaker.Share,
		r.Breaker.Stopped,
		r.Load.Partitions,
		r.Breaker.Quarantined,
	)
	return errors.Join(err, late)
}
