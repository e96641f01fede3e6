// Command consumer starts an action when ebb raises an alert, and cancels it when the episode ends: once each, however
// often the program is killed. What it does, and up to where it has read, is one file.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// alert is what this consumer reads of an alert.
type alert struct {
	ID         string    `json:"id"`
	EpisodeID  string    `json:"episode_id"`
	Customer   string    `json:"customer"`
	Transition string    `json:"transition"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// line is one of the file: an alert, what was decided on it, and the offset behind it, so that all of that is kept, or
// nothing.
type line struct {
	Partition int32  `json:"partition"`
	Next      int64  `json:"next"`
	ID        string `json:"id"`
	Episode   string `json:"episode"`
	Customer  string `json:"customer"`
	Do        string `json:"do"` // start, cancel or nothing
}

// consumer is what the lines of the file add up to.
type consumer struct {
	file *os.File
	next map[int32]int64 // by partition
	seen map[string]bool // ids of alerts; those of three months ago may be forgotten
	open map[string]bool // episodes with an action
}

func openConsumer(name string) (*consumer, error) {
	text, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	c := &consumer{next: map[int32]int64{}, seen: map[string]bool{}, open: map[string]bool{}}
	whole := text[:bytes.LastIndexByte(text, '\n')+1] // without the line in which a crash came
	for one := range bytes.Lines(whole) {
		var l line
		if err := json.Unmarshal(one, &l); err != nil {
			return nil, err
		}
		c.apply(&l)
	}
	if c.file, err = os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	return c, c.file.Truncate(int64(len(whole)))
}

func (c *consumer) apply(l *line) {
	c.next[l.Partition], c.seen[l.ID] = l.Next, true
	switch l.Do {
	case "start":
		c.open[l.Episode] = true
	case "cancel":
		delete(c.open, l.Episode)
	}
}

// take decides on one alert, and keeps that before it goes on.
func (c *consumer) take(r *kgo.Record) error {
	var a alert
	if err := json.Unmarshal(r.Value, &a); err != nil || a.ID == "" {
		log.Printf("partition %d, offset %d: no alert (%v)", r.Partition, r.Offset, err)
		return nil
	}
	if c.seen[a.ID] {
		return nil
	}
	l := line{r.Partition, r.Offset + 1, a.ID, a.EpisodeID, a.Customer, c.decide(&a)}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err := c.file.Write(append(text, '\n')); err != nil {
		return err
	}
	c.apply(&l)
	return c.file.Sync()
}

// decide is where your rules go. What it does not know, it leaves alone: ebb will add transitions.
func (c *consumer) decide(a *alert) string {
	ends := a.ExpiresAt.IsZero() // recovered, converted, corrected, expired, and whatever else will end an episode
	starts := a.Transition == "raised" || a.Transition == "escalated"
	switch {
	case ends && c.open[a.EpisodeID]:
		return "cancel"
	case starts && time.Now().Before(a.ExpiresAt): // a late message is worse than none
		return "start" // an escalation replaces the action of its episode
	}
	return "nothing"
}

// goOn is where to read on: the file decides, and not the offsets that the group has committed.
func (c *consumer) goOn(
	_ context.Context,
	all map[string]map[int32]kgo.Offset,
) (map[string]map[int32]kgo.Offset, error) {
	for _, partitions := range all {
		for n := range partitions {
			partitions[n] = kgo.NewOffset().AtStart()
			if next, known := c.next[n]; known {
				partitions[n] = kgo.NewOffset().At(next)
			}
		}
	}
	return all, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c, err := openConsumer(os.Getenv("STATE_FILE"))
	if err != nil {
		log.Fatal(err)
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Getenv("KAFKA_BROKERS"), ",")...),
		kgo.ConsumeTopics(os.Getenv("ALERTS_TOPIC")),
		kgo.ConsumerGroup(os.Getenv("CONSUMER_GROUP")),
		kgo.InstanceID("one"),                        // a restart goes on at once
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), // the default reads alerts that were never published
		kgo.AdjustFetchOffsetsFn(c.goOn),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		fetches.EachError(func(topic string, partition int32, err error) { log.Print(topic, "/", partition, ": ", err) })
		fetches.EachRecord(func(r *kgo.Record) {
			if err := c.take(r); err != nil {
				log.Fatal(err) // it goes on from the file when it is started again
			}
		})
	}
}
