package demo

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/rs/zerolog"

	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/embedded"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// TestReplay: the scores that are drawn are those of the alerts that silence raised, to the last digit.
func TestReplay(t *testing.T) {
	d, alerts := ran(t, 400)
	silent := map[string][]view.Alert{} // by customer, in order of time
	for _, a := range alerts {
		if a.Kind == "lapse" && a.Transition != "recovered" {
			silent[a.Customer] = append(silent[a.Customer], a)
		}
	}
	for _, all := range silent {
		slices.SortFunc(all, func(a, b view.Alert) int { return a.Time.Compare(b.Time) })
	}
	compared := 0
	compare := func(r *replay, customer string, until int64) {
		for all := silent[customer]; len(all) > 0 && all[0].Time.UnixMilli() <= until; all = silent[customer] {
			if risk := r.risk(customer, all[0].Time.UnixMilli()); math.Abs(risk-all[0].Risk) > 1e-9 {
				t.Fatalf("%s at %v: drawn at %.3f, the alert has %.3f", customer, all[0].Time, risk, all[0].Risk)
			}
			silent[customer] = all[1:]
			compared++
		}
	}
	for partition := range d.partitions {
		r, decoder, e := newReplay(d.pack), d.opts.Config.Input.Decoder(0), pipeline.Event{}
		err := d.log.each(func(customer, value []byte, at int64) error {
			if kafkawire.Partition(customer, d.partitions) == partition {
				decoder.Decode(&pipeline.Record{Value: value}, &e)
				compare(r, string(customer), at-1)
				if e.Counts() {
					r.fold(string(customer), &e)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for customer := range r.customers {
			compare(r, customer, d.latest)
		}
	}
	if compared < 500 {
		t.Errorf("only %d alerts were compared", compared)
	}
}

// TestScores: each step has the highest score in it, as far as moments within it show.
func TestScores(t *testing.T) {
	d, alerts := ran(t, 200)
	for _, a := range alerts[:20] {
		s, err := d.scores(a.Customer, d.log.shop.Start(), 40)
		if err != nil {
			t.Fatal(err)
		}
		if most := s.most[s.at(a.Time.UnixMilli())]; most < a.Risk-1e-9 && a.Transition != "recovered" {
			t.Errorf("%s has %.3f at most when an alert with %.3f was %s", a.Customer, most, a.Risk, a.Transition)
		}
		first := slices.Index(s.visited, true)
		for i, most := range s.most {
			if (most < 0) != (i < first) {
				t.Errorf("%s: score %g in step %d, its first visit was in step %d", a.Customer, most, i, first)
			}
		}
	}
}

// ran is a demo that has run, and its alerts.
func ran(t *testing.T, customers int) (*demo, []view.Alert) {
	t.Helper()
	cfg, err := config.Load("", nil, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	cfg.HTTP.Listen, cfg.Kafka.InstanceID = "", "demo"
	cfg.Start.History, cfg.Sources.Guard = config.HistoryNone, config.GuardOff
	cfg.Storm.Breaker = config.BreakerOff
	var out bytes.Buffer
	opts := Options{
		Config: cfg, Seed: 4, Customers: customers, JSON: true, Screen: terminal.NewScreen(&out, nil), Log: zerolog.Nop(),
	}
	log, err := open(&opts)
	if err != nil {
		t.Fatal(err)
	}
	services, err := embedded.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	d := &demo{opts: opts, log: log}
	if err := d.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var alerts []view.Alert
	for line := range bytes.Lines(out.Bytes()) {
		var a view.Alert
		if err := json.Unmarshal(line, &a); err == nil && a.Customer != "" {
			alerts = append(alerts, a)
		}
	}
	return d, alerts
}
