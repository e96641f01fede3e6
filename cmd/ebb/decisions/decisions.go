// Package decisions finds what was decided about customers: the alerts of a group, and the ledger, which says why nothing
// else went out.
package decisions

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
	"ebb/sinks/format"
)

// patience is how long a topic is read on behind an open transaction, or while brokers do not answer.
const patience = 30 * time.Second

// Query is what to find.
type Query struct {
	Customer string // "": anybody; then alerts are left out
	Tenant   string // "": any
	Outcome  string // "": any; else alerts are left out
	Reason   string // the same
	Newest   int    // how many of the latest

	Waiting connect.Waiting // gets what is waited for
}

// Found is an alert or a line of the ledger.
type Found struct {
	Time     time.Time
	Value    []byte           // as published
	Decision *format.Decision // nil: it is an alert
}

// Find reads the ledger, and the alerts of one customer, and returns the latest that were found, in order of event time.
// The client has to know the topics of alerts and decisions.
func Find(ctx context.Context, client *kafkawire.Client, cfg *config.Config, q *Query) ([]Found, error) {
	f := finding{Query: q, client: client, cfg: cfg}
	topic, err := connect.FindTopic(ctx, client, cfg, cfg.Kafka.Decisions, kafkawire.Read)
	if err != nil {
		return nil, err
	}
	if err := f.read(ctx, &topic, f.takeDecision); err != nil {
		return nil, err
	}
	if q.Customer != "" && q.Outcome == "" && q.Reason == "" {
		if err := f.readAlerts(ctx); err != nil {
			return nil, err
		}
	}
	return f.latest(), nil
}

// finding is a search in progress.
type finding struct {
	*Query
	client *kafkawire.Client
	cfg    *config.Config
	found  []Found
}

// readAlerts reads the group's alerts about the customer.
func (f *finding) readAlerts(ctx context.Context) error {
	source := format.Source(f.cfg.Kafka.Group, f.cfg.Kafka.Input)
	topics, err := connect.AlertTopics(ctx, f.client, f.cfg, kafkawire.Read)
	if err != nil {
		return err
	}
	for i := range topics {
		err := f.read(ctx, &topics[i], func(r *pipeline.Record) {
			if _, from := format.Origin(r.Headers); string(from) == source {
				f.takeAlert(r)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// read hands every record of a topic that may be about the customer to take.
func (f *finding) read(ctx context.Context, topic *kafkawire.Topic, take func(*pipeline.Record)) error {
	scan := kafkascan.Scan{
		Client: f.client, Topic: topic.Name, Patience: patience,
		Record: func(r *pipeline.Record) error {
			if f.Customer == "" || string(r.Key) == f.Customer {
				take(r)
			}
			return nil
		},
		Waiting: func(held *kafkascan.HeldUpError, _ time.Duration) error { f.Query.Waiting(held.Error()); return nil },
		Lost:    func(int64, int64) {}, // retention goes on
	}
	return scan.Whole(ctx, topic.Partitions)
}

func (f *finding) takeDecision(r *pipeline.Record) {
	var d format.Decision
	if json.Unmarshal(r.Value, &d) != nil || d.Outcome == "" {
		return
	}
	at, err := time.Parse(time.RFC3339, d.Time)
	if err != nil || !f.of(d.Tenant) || f.Outcome != "" && d.Outcome != f.Outcome ||
		f.Reason != "" && d.Reason != f.Reason {
		return
	}
	f.add(Found{Time: at, Value: bytes.Clone(r.Value), Decision: &d})
}

func (f *finding) takeAlert(r *pipeline.Record) {
	var a struct {
		Tenant string    `json:"tenant"`
		Time   time.Time `json:"time"`
	}
	if json.Unmarshal(r.Value, &a) == nil && f.of(a.Tenant) {
		f.add(Found{Time: a.Time, Value: bytes.Clone(r.Value)})
	}
}

func (f *finding) of(tenant string) bool { return f.Tenant == "" || tenant == f.Tenant }

// add keeps one, and forgets old ones now and then.
func (f *finding) add(one Found) {
	if f.found = append(f.found, one); len(f.found) >= 2*f.Newest+1000 {
		f.found = f.latest()
	}
}

// latest are the latest of those found, in order of event time.
func (f *finding) latest() []Found {
	slices.SortStableFunc(f.found, func(a, b Found) int { return a.Time.Compare(b.Time) })
	return slices.Clone(f.found[max(0, len(f.found)-f.Newest):])
}
