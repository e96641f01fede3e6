package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// comeback is how a process came back to the state that it left.
type comeback struct {
	What      string  `json:"to_what"`
	Takeover  float64 `json:"longest_takeover_seconds"`   // by the log
	Committed float64 `json:"first_commit_after_seconds"` // since the process began
	CaughtUp  float64 `json:"all_records_after_seconds"`  // since then, all that the input holds is folded and published
	RSS       int64   `json:"max_rss_bytes"`
}

// comebacks is the report of -armed and of -times.
type comebacks struct {
	Commit  string     `json:"commit"`
	Machine string     `json:"machine"`
	Of      string     `json:"of"`
	Cases   []comeback `json:"cases"`
}

func (r *comebacks) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	fmt.Fprintf(w, "ebb %s on %s\n%s\n\n", r.Commit, r.Machine, r.Of)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "a process comes back\ttakeover\tfirst commit after\tall records after\tpeak RSS\t")
	for _, c := range r.Cases {
		first := "-"
		if c.Committed > 0 {
			first = fmt.Sprintf("%.2f s", c.Committed)
		}
		fmt.Fprintf(t, "%s\t%.2f s\t%s\t%.2f s\t%d MiB\t\n", c.What, c.Takeover, first, c.CaughtUp, c.RSS>>20)
	}
	return t.Flush()
}

// comeBack starts ebb on the group and measures until it has published all that the input holds by then.
func (g *group) comeBack(ctx context.Context, what string) (c comeback, err error) {
	m, err := g.startMember(ctx, "back", true)
	if err != nil {
		return c, err
	}
	defer func() {
		if err != nil {
			m.kill()
		}
	}()
	c.What = what
	at := func() float64 { return time.Since(m.started).Seconds() }
	own := *g
	own.http = m.http
	for limit := time.After(time.Hour); c.CaughtUp == 0; {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-limit:
			return c, errors.New("it has not come back within an hour")
		case <-ctx.Done():
			return c, ctx.Err()
		}
		if err := m.alive(); err != nil {
			return c, err
		}
		if c.Committed == 0 {
			if found, err := own.metrics(ctx); err == nil && stepped(found["ebb_step_seconds"], "commit").GetSampleCount() > 0 {
				c.Committed = at()
			}
		}
		if c.Committed == 0 {
			continue
		}
		behind, err := g.behind(ctx)
		if err != nil {
			return c, err
		}
		if behind == 0 {
			c.CaughtUp = at()
		}
	}
	for _, s := range m.diary.all(saidTaken, m.started) {
		c.Takeover = max(c.Takeover, s.Took/1e3)
	}
	m.kill() // it may still have a million deadlines to fire, and is started again under its own name
	c.RSS = maxRSS(m.process)
	return c, nil
}

// maxRSS is how much memory a process had at most, which has ended.
func maxRSS(cmd *exec.Cmd) int64 {
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss << 10
}

// behind is how many records of the input the group has not published.
func (g *group) behind(ctx context.Context) (behind int64, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(g.kafka))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	lag, err := kadm.NewClient(client).Lag(ctx, g.name)
	if err != nil {
		return 0, err
	}
	return lag[g.name].Lag.Total(), lag.Error()
}

// measureArmed measures how a process comes back to a million armed deadlines of one hour.
func measureArmed(ctx context.Context, o *options, say io.Writer) (*comebacks, error) {
	r := &comebacks{
		Commit: commit(ctx), Machine: machine(),
		Of: fmt.Sprintf("%d armed deadlines of one hour, %d partitions", o.Customers, o.Partitions),
	}
	return r, serving(ctx, o, say, func(b *bench) error {
		m := &midnight{bench: b}
		if err := m.fillHour(ctx); err != nil {
			return fmt.Errorf("fill the topic: %w", err)
		}
		g, err := m.newGroup(ctx, 0)
		if err != nil {
			return err
		}
		run, err := g.run(ctx)
		if err != nil {
			return err
		}
		reader, err := g.reader()
		if err != nil {
			return err
		}
		defer reader.Close()
		if _, err := m.open(ctx, reader, run.Alerts); err != nil {
			return err
		}
		if err := m.visits(ctx, -1, midnightStart+hourMillis); err != nil {
			return err
		}
		if _, err := g.comeBack(ctx, ""); err != nil { // the session of the run before ends first
			return err
		}
		due := midnightStart + m.wait + lateness
		for i, c := range []struct {
			what string
			at   int64 // of the events that it finds
		}{
			{"to deadlines of months ahead", midnightStart + hourMillis},
			{"to deadlines of the minutes ahead", due - 60_000},
			{"to deadlines of the minutes ahead, once more", due - 30_000},
			{"to deadlines that are due", due + hourMillis},
		} {
			if err := m.visits(ctx, i, c.at); err != nil {
				return err
			}
			back, err := g.comeBack(ctx, c.what)
			if err != nil {
				return fmt.Errorf("%s: %w", c.what, err)
			}
			fmt.Fprintf(say, "%s: %.2f s until the first commit\n", c.what, back.Committed)
			r.Cases = append(r.Cases, back)
		}
		return nil
	})
}

// visits sends events of some customers of each partition.
func (b *bench) visits(ctx context.Context, round int, at int64) error {
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(b.kafka), kgo.DefaultProduceTopic(input), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
	)
	if err != nil {
		return err
	}
	defer cl.Close()
	var all []*kgo.Record
	for i := range 16 * b.Partitions {
		all = append(all, visit("live-"+strconv.Itoa(i), fmt.Sprintf("live-%d-%d", round, i), at+int64(i)))
	}
	return cl.ProduceSync(ctx, all...).FirstErr()
}
