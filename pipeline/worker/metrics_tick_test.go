package worker

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"ebb/pipeline"
	"ebb/pipeline/line"
	"ebb/scoring/pack"
)

// fullOutbox is a protocol whose takeover has found an entry that is not published.
func fullOutbox(t *testing.T) *pipeline.Protocol {
	t.Helper()
	p := pipeline.NewProtocol(pipeline.Identity{}, newToken)
	entry := pipeline.AppendEntry(nil, &pipeline.Entry{Kind: pipeline.EntryQuarantine, Offset: 4, Code: pipeline.NotJSON})
	answers := map[pipeline.Step]pipeline.Answer{
		pipeline.StepInit: {},
		pipeline.StepClaim: {
			State: pipeline.State{
				Exists: true,
				Meta:   pipeline.Meta{Version: pipeline.MetaVersion, Next: 5},
				Outbox: [][]byte{entry},
			},
		},
		pipeline.StepPosition: {
			Position: pipeline.Position{Committed: true, Offset: 3, Metadata: pipeline.Mark{}.Metadata(), End: 9},
		},
	}
	for r, more := p.Takeover(); more; r, more = p.Takeover() {
		a := answers[r.Step]
		a.Step = r.Step
		p.Answer(a)
	}
	if p.Failed() != nil || p.Unpublished().Entries != 1 {
		t.Fatalf("%+v unpublished: %v", p.Unpublished(), p.Failed())
	}
	return p
}

// TestOutboxAgeAfterATakeover: an outbox that was full at the takeover has the age of the ownership, not of the
// calendar.
func TestOutboxAgeAfterATakeover(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	k, err := pack.Load("any", nil, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	p := fullOutbox(t)
	o := &owner{
		Worker: New(Config{Metrics: m}), p: p,
		line: line.New(&line.Config{CacheCustomers: 1}, p.Standing(), &line.History{Packs: []*pack.Pack{k}}),
	}
	m.tick(o)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "ebb_outbox_age_seconds" {
			if age := f.GetMetric()[0].GetGauge().GetValue(); age > 1 {
				t.Errorf("the outbox is %v s old", age)
			}
			return
		}
	}
	t.Error("ebb_outbox_age_seconds is missing")
}
