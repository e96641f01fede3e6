package shadow

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/cespare/xxhash/v2"

	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
	"ebb/scoring"
	"ebb/scoring/profile"
	"ebb/sinks/format"
)

// alerts counts the alerts of the main group and those of a shadow in the same span of event time.
type alerts struct {
	cfg         *config.Config
	client      *kafkawire.Client
	from, until int64                   // ms: after from, and not after until
	done        func(done, total int64) // gets how far a partition is read

	counts    map[alertSort][2]int64
	customers map[uint64]uint8    // by the hash of tenant and name: 1 alerted by the main one, 2 by the shadow
	ids       map[uint64]struct{} // of alerts counted
}

// source is where one side's alerts are found.
type source struct {
	topics []kafkawire.Topic
	source string          // their ce_source
	packs  map[string]bool // hashes of their packs; nil: any
}

// Alerts is the outcome of the count.
type Alerts struct {
	From      time.Time   `json:"from"`
	Until     time.Time   `json:"until"`
	Days      float64     `json:"days"`
	Sorts     []AlertRate `json:"sorts"`
	Customers struct {
		Both   int64 `json:"both"`
		Main   int64 `json:"main_only"`
		Shadow int64 `json:"shadow_only"`
	} `json:"customers"`
}

// AlertRate is how many alerts of a kind and transition there were.
type AlertRate struct {
	Kind         string  `json:"kind"`
	Transition   string  `json:"transition"`
	Main         int64   `json:"main"`
	Shadow       int64   `json:"shadow"`
	MainPerDay   float64 `json:"main_per_day"`
	ShadowPerDay float64 `json:"shadow_per_day"`
}

// read counts one side's alerts.
func (s *alerts) read(ctx context.Context, side int, src *source) error {
	for i := range src.topics {
		topic := &src.topics[i]
		for n := range topic.Partitions {
			if err := s.readPartition(ctx, side, src, topic.Name, n); err != nil {
				return fmt.Errorf("read %s/%d: %w", topic.Name, n, err)
			}
		}
	}
	return nil
}

// readPartition begins at the first record that is young enough: alerts carry event time, in no strict order.
func (s *alerts) readPartition(ctx context.Context, side int, src *source, topic string, n int32) error {
	at, err := s.client.OffsetAt(ctx, topic, n, time.UnixMilli(max(0, s.from+1)))
	if err != nil {
		return err
	}
	end, err := s.client.StableEnd(ctx, topic, n) // the records behind an open transaction are left out
	if err != nil {
		return err
	}
	total := max(0, end-at)
	s.done(0, total)
	scan := kafkascan.Scan{
		Client: s.client, Topic: topic, Partition: n, From: at, To: end, Patience: alertsPatience,
		Record:   func(r *pipeline.Record) error { s.take(side, src, r); return nil },
		Answered: func(next int64) error { s.done(next-at, total); return nil },
		Lost:     func(int64, int64) {}, // deleted since the bounds were read, as all before them
	}
	return scan.Run(ctx)
}

// alertsPatience is how long brokers may answer without the records they hold.
const alertsPatience = 30 * time.Second

// alertSort is the kind and transition of an alert.
type alertSort struct{ kind, transition string }

// saidAlert holds the fields of an alert that are counted.
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

// take counts a record that is an alert of that side, unless it is already counted: a shadow that began again after
// forget has decided some alerts twice.
func (s *alerts) take(side int, src *source, r *pipeline.Record) {
	if _, from := format.Origin(r.Headers); string(from) != src.source {
		return
	}
	var said saidAlert
	if err := json.Unmarshal(r.Value, &said); err != nil || said.Kind == "" {
		return
	}
	if src.packs != nil && !src.packs[said.Pack.Hash] {
		return
	}
	if at := said.Time.UnixMilli(); at <= s.from || at > s.until {
		return
	}
	id := xxhash.Sum64String(said.ID)&^1 | uint64(side) // the two sides may decide the same alert
	if _, again := s.ids[id]; again {
		return
	}
	s.ids[id] = struct{}{}
	n := s.counts[alertSort{said.Kind, said.Transition}]
	n[side]++
	s.counts[alertSort{said.Kind, said.Transition}] = n
	s.customers[xxhash.Sum64(pipeline.AppendKey(nil, []byte(said.Tenant), []byte(said.Customer)))] |= 1 << side
}

// result returns the counts. The span begins with first, the first activity of any customer, if that is later.
func (s *alerts) result(first, until int64) *Alerts {
	from := s.from
	if first < until {
		from = max(from, first)
	}
	out := &Alerts{
		From: time.UnixMilli(from).UTC(), Until: time.UnixMilli(until).UTC(), Sorts: []AlertRate{},
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
				out.Sorts = append(
					out.Sorts,
					AlertRate{k.String(), t.String(), n[MainSide], n[ShadowSide], rate(n[MainSide]), rate(n[ShadowSide])},
				)
			}
		}
	}
	for _, by := range s.customers {
		switch by {
		case 1 << MainSide:
			out.Customers.Main++
		case 1 << ShadowSide:
			out.Customers.Shadow++
		default:
			out.Customers.Both++
		}
	}
	return out
}
