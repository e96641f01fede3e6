package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
)

// timesAfter is when all lapses of the log are long raised, in event time.
const timesAfter = 400 * 24 * time.Hour

// measureTimes measures how a process comes back to an emptied state, whose log ends with very many time records: one for
// each minute in which something fell due, as an idle partition writes them.
func measureTimes(ctx context.Context, o *options, say io.Writer) (*comebacks, error) {
	o.Partitions = 1
	r := &comebacks{Commit: commit(ctx), Machine: machine()}
	return r, serving(ctx, o, say, func(b *bench) error {
		if err := b.fillMinutes(ctx); err != nil {
			return fmt.Errorf("fill the topic: %w", err)
		}
		g, err := b.newGroup(ctx, 0)
		if err != nil {
			return err
		}
		if err := g.check(ctx); err != nil {
			return err
		}
		end := time.UnixMilli(midnightStart).Add(time.Duration(o.times) * time.Minute).Add(timesAfter).UTC()
		until := g.command(ctx, "--until-end", "--leave", "--advance-to", end.Format(time.RFC3339))
		if out, err := until.CombinedOutput(); err != nil {
			return fmt.Errorf("ebb run: %w\n%s", err, out)
		}
		minutes, err := g.alertMinutes(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(say, "writing %d time records\n", len(minutes))
		began := time.Now()
		topic, err := g.spread(ctx, append(minutes, end.Unix()/60))
		if err != nil {
			return fmt.Errorf("write time records: %w", err)
		}
		fmt.Fprintf(say, "written in %.0f s\n", time.Since(began).Seconds())
		r.Of = fmt.Sprintf("one partition of %d customers; its control records, of which each but a few passes time", o.times)
		for _, c := range []struct{ topic, what string }{
			{g.name + ".control", "to an emptied state, with one time record"},
			{topic, fmt.Sprintf("to an emptied state, with %d time records", len(minutes)+1)},
		} {
			back, err := g.rebuilt(ctx, c.topic, c.what)
			if err != nil {
				return fmt.Errorf("%s: %w", c.what, err)
			}
			r.Cases = append(r.Cases, back)
		}
		one, all := r.Cases[0], r.Cases[1]
		each := (all.CaughtUp - one.CaughtUp) / float64(len(minutes))
		r.Of += fmt.Sprintf(
			"\neach time record costs %.0f us; 525,600 of a year of one partition %.0f s, %.1f s of it to read them",
			each*1e6,
			each*525_600,
			(all.Takeover-one.Takeover)/float64(len(minutes))*525_600,
		)
		return nil
	})
}

// fillMinutes writes one event of each customer, one a minute.
func (b *bench) fillMinutes(ctx context.Context) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.kafka), kgo.DefaultProduceTopic(input), kgo.MaxBufferedRecords(200_000))
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := createTopic(ctx, cl, 1, input); err != nil {
		return err
	}
	var failed error
	for i := range b.times {
		r := visit("due-"+strconv.Itoa(i), "only-"+strconv.Itoa(i), midnightStart+int64(i)*pipeline.MinuteMillis)
		cl.Produce(ctx, r, func(_ *kgo.Record, err error) { failed = errors.Join(failed, err) })
	}
	return errors.Join(cl.Flush(ctx), failed)
}

// alertMinutes are the minutes of event time in which a lapse was raised or escalated, in order.
func (g *group) alertMinutes(ctx context.Context) ([]int64, error) {
	all, err := g.whole(ctx, g.alerts)
	if err != nil {
		return nil, err
	}
	minutes := map[int64]bool{}
	for _, r := range all {
		var a struct{ Time time.Time }
		if err := json.Unmarshal(r.Value, &a); err != nil {
			return nil, err
		}
		minutes[a.Time.Unix()/60] = true
	}
	if len(minutes) == 0 {
		return nil, errors.New("nothing was raised")
	}
	return slices.Sorted(maps.Keys(minutes)), nil
}

// whole reads all committed records of a topic of one group.
func (g *group) whole(ctx context.Context, topic string) (all []*kgo.Record, err error) {
	cl, err := g.committed(topic, kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListCommittedOffsets(ctx, topic)
	if err = errors.Join(err, ends.Error()); err != nil {
		return nil, err
	}
	left := 0
	ends.Each(func(o kadm.ListedOffset) { left += bit(o.Offset > 0) })
	for left > 0 {
		f := cl.PollFetches(ctx)
		if err := f.Err(); err != nil {
			return nil, err
		}
		f.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				all = append(all, r)
			}
			end, _ := ends.Lookup(topic, r.Partition)
			left -= bit(r.Offset == end.Offset-1)
		})
	}
	return all, nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// spread copies the group's control records to another topic, with many time records in place of the last one, each in a
// transaction of its own.
func (g *group) spread(ctx context.Context, minutes []int64) (topic string, err error) {
	all, err := g.whole(ctx, g.name+".control")
	if err != nil {
		return "", err
	}
	topic = g.name + ".control.spread"
	cl, err := kgo.NewClient(kgo.SeedBrokers(g.kafka), kgo.DefaultProduceTopic(topic), kgo.TransactionalID("spread"))
	if err != nil {
		return "", err
	}
	defer cl.Close()
	if err := createTopic(ctx, cl, 1, topic); err != nil {
		return "", err
	}
	write := func(key []byte, c *pipeline.Control) error {
		if err := cl.BeginTransaction(); err != nil {
			return err
		}
		if err := cl.ProduceSync(ctx, &kgo.Record{Key: key, Value: c.Encode()}).FirstErr(); err != nil {
			return err
		}
		return cl.EndTransaction(ctx, kgo.TryCommit)
	}
	for _, r := range all {
		c, err := pipeline.ReadControl(r.Value)
		if err != nil {
			return "", err
		}
		each := []int64{0}
		if c.Kind == pipeline.ControlTime {
			each = minutes
		}
		for _, c.Minute = range each {
			if err := write(r.Key, &c); err != nil {
				return "", err
			}
		}
	}
	return topic, nil
}

// rebuilt empties the group's state and measures how a process comes back to it, with control records from a topic.
func (g *group) rebuilt(ctx context.Context, control, what string) (c comeback, err error) {
	text, err := os.ReadFile(g.config)
	if err != nil {
		return c, err
	}
	own := *g
	own.config = filepath.Join(g.dir, control+".yaml")
	named := strings.Replace(string(text), "control: "+g.name+".control", "control: "+control, 1)
	if err := os.WriteFile(own.config, []byte(named), 0o600); err != nil {
		return c, err
	}
	args := own.command(ctx).Args[1:]
	args = append([]string{"rebuild", "--from", "earliest", "--yes"}, args[1:]...)
	if out, err := exec.CommandContext(ctx, g.program, args...).CombinedOutput(); err != nil {
		return c, fmt.Errorf("ebb rebuild: %w\n%s", err, out)
	}
	return own.comeBackFromNothing(ctx, what)
}

// comeBackFromNothing measures a run over the whole log, which publishes nothing.
func (g *group) comeBackFromNothing(ctx context.Context, what string) (c comeback, err error) {
	c.What = what
	var log diary
	cmd := g.command(ctx, "--until-end", "--leave")
	cmd.Stderr = &log
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return c, fmt.Errorf("ebb run: %w\n%s", err, log.tail())
	}
	c.CaughtUp = time.Since(began).Seconds()
	for _, s := range log.all(saidTaken, began) {
		c.Takeover = max(c.Takeover, s.Took/1e3)
	}
	c.RSS = maxRSS(cmd)
	return c, nil
}
