package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/cespare/xxhash/v2"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/scoring"
	"ebb/scoring/profile"
	"ebb/sinks"
)

// shadowedAlerts counts what the main group has alerted, and what a shadow would have, in the same span of event time.
type shadowedAlerts struct {
	cfg         *Config
	client      *kafkawire.Client
	from, until int64 // ms: after from, and not after until
	steps       *steps

	counts    map[alertSort][2]int64
	customers map[uint64]uint8    // by the hash of tenant and name: 1 alerted by the main one, 2 by the shadow
	ids       map[uint64]struct{} // of alerts counted
}

// alertSource is where one side's alerts are.
type alertSource struct {
	topic  string
	source string          // their ce_source
	packs  map[string]bool // hashes of the packs that they are by; nil: any
}

// alertsCompared is what came of it.
type alertsCompared struct {
	From      time.Time   `json:"from"`
	Until     time.Time   `json:"until"`
	Days      float64     `json:"days"`
	Sorts     []alertRate `json:"sorts"`
	Customers struct {
		Both   int64 `json:"both"`
		Main   int64 `json:"main_only"`
		Shadow int64 `json:"shadow_only"`
	} `json:"customers"`
}

// alertRate is how many alerts of a kind and transition there were.
type alertRate struct {
	Kind         string  `json:"kind"`
	Transition   string  `json:"transition"`
	Main         int64   `json:"main"`
	Shadow       int64   `json:"shadow"`
	MainPerDay   float64 `json:"main_per_day"`
	ShadowPerDay float64 `json:"shadow_per_day"`
}

// read counts one side's alerts.
func (s *shadowedAlerts) read(ctx context.Context, side int, src *alertSource) error {
	topic, err := findTopic(ctx, s.client, s.cfg, src.topic, kafkawire.Read)
	if err != nil {
		return err
	}
	for n := range topic.Partitions {
		if err := s.readPartition(ctx, side, src, n); err != nil {
			return fmt.Errorf("read %s/%d: %w", src.topic, n, err)
		}
	}
	return nil
}

// readPartition begins where the first record stands that is young enough: alerts carry event time, in no strict order.
func (s *shadowedAlerts) readPartition(ctx context.Context, side int, src *alertSource, n int32) error {
	at, err := s.client.OffsetAt(ctx, src.topic, n, time.UnixMilli(max(0, s.from+1)))
	if err != nil {
		return err
	}
	_, end, err := s.client.Bounds(ctx, src.topic, n)
	if err != nil {
		return err
	}
	f, err := s.client.NewFetcher(kafkawire.FetchConfig{Topic: src.topic, Partition: n})
	if err != nil {
		return err
	}
	defer f.Close()
	var fetched pipeline.Fetched
	s.steps.begin(max(0, end-at))
	for at < end {
		if err := f.Fetch(ctx, at, &fetched); err != nil {
			return err
		}
		if fetched.Next == at { // the rest is a transaction that is still open
			return nil
		}
		for i := range fetched.Records {
			s.take(side, src, &fetched.Records[i])
		}
		s.steps.add(fetched.Next - at)
		at = fetched.Next
	}
	return nil
}

// alertSort is what an alert is about.
type alertSort struct{ kind, transition string }

// saidAlert is what is counted of an alert.
type saidAlert struct {
	ID         string    `json:"id"`
	Tenant     string    `json:"tenant"`
	Customer   string    `json:"customer"`
	Kind       string    `json:"kind"`
	Transition string    `json:"transition"`
	Time       time.Time `json:"time"`
	Pack       struct {
		Hash string `json:"hash"`
	} `json:"pack"`
}

// take counts a record that is an alert of that side, unless it was counted: a shadow that was forgotten and began anew has
// decided some twice.
func (s *shadowedAlerts) take(side int, src *alertSource, r *pipeline.Record) {
	if !fromSource(r.Headers, src.source) {
		return
	}
	var said saidAlert
	if err := json.Unmarshal(r.Value, &said); err != nil || said.Kind == "" || src.packs != nil && !src.packs[said.Pack.Hash] {
		return
	}
	if at := said.Time.UnixMilli(); at <= s.from || at > s.until {
		return
	}
	id := xxhash.Sum64String(said.ID)&^1 | uint64(side) // the two sides may decide the same
	if _, again := s.ids[id]; again {
		return
	}
	s.ids[id] = struct{}{}
	n := s.counts[alertSort{said.Kind, said.Transition}]
	n[side]++
	s.counts[alertSort{said.Kind, said.Transition}] = n
	s.customers[xxhash.Sum64(pipeline.AppendKey(nil, []byte(said.Tenant), []byte(said.Customer)))] |= 1 << side
}

// fromSource reports whether headers say that a record is of a source.
func fromSource(headers []byte, source string) bool {
	for key, value := range kafkawire.Headers(headers) {
		if string(key) == "ce_source" {
			return string(value) == source
		}
	}
	return false
}

// result is what was counted; the span begins with first, the first activity of any customer, if that is later.
func (s *shadowedAlerts) result(first, until int64) *alertsCompared {
	from := s.from
	if first < until {
		from = max(from, first)
	}
	out := &alertsCompared{
		From: time.UnixMilli(from).UTC(), Until: time.UnixMilli(until).UTC(), Sorts: []alertRate{},
		Days: math.Round(max(0, time.Duration(until-from)*time.Millisecond).Hours()/24*1000) / 1000,
	}
	rate := func(n int64) float64 {
		if out.Days == 0 {
			return 0
		}
		return math.Round(float64(n)/out.Days*1000) / 1000
	}
	for k := range profile.NumKinds {
		for t := range scoring.NumTransitions {
			if n, ok := s.counts[alertSort{k.String(), t.String()}]; ok {
				out.Sorts = append(out.Sorts, alertRate{k.String(), t.String(), n[sideMain], n[sideShadow], rate(n[sideMain]), rate(n[sideShadow])})
			}
		}
	}
	for _, by := range s.customers {
		switch by {
		case 1 << sideMain:
			out.Customers.Main++
		case 1 << sideShadow:
			out.Customers.Shadow++
		default:
			out.Customers.Both++
		}
	}
	return out
}

// sourceOf is the alert topic of a group as far as its alerts go.
func sourceOf(cfg *Config) alertSource {
	return alertSource{topic: cfg.Kafka.Alerts, source: sinks.Source(cfg.Kafka.Group, cfg.Kafka.Input)}
}
