package backtest

import (
	"context"
	"fmt"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/eventlog"
	"ebb/pipeline"
	"ebb/scoring/pack"
)

// CompareOn sends a log through both packs. It compares customers at dates, in order, and at the log's end. It keeps up
// to examples alerts of each sort.
func CompareOn(
	ctx context.Context,
	p *eventlog.Pass,
	packs [2]*pack.Pack,
	dates []time.Time,
	examples int,
) (*Difference, error) {
	c := NewComparison(packs[0], packs[1], dates, examples)
	second := p.Input.Decoder(0).Reading(packs[1])
	var again pipeline.Event // decoded for what the second pack reads
	err := p.Each(ctx, packs[0], "comparing", func(file *eventlog.File, e *eventlog.Entry) {
		ev := eventOf(file, e)
		again.Properties = nil
		if packs[1].Uses(ev.Type) {
			second.Reset()
			second.Decode(&pipeline.Record{Value: e.Value}, &again)
		}
		c.Observe(ev, again.Properties)
	}, c.Late)
	if err != nil {
		return nil, err
	}
	found := c.Finish()
	if found.Events == 0 {
		return nil, fmt.Errorf("%s holds no events", p.Name)
	}
	for i, n := range found.Active {
		if n == 0 {
			return nil, p.NoActivity(packs[i].Name)
		}
	}
	for _, at := range dates {
		if at.Before(found.First) || at.After(found.Last) {
			return nil, advice.Usage(
				fmt.Errorf("%s lies outside the log, which begins on %s and ends on %s", advice.FormatDate(at),
					found.First.Format(time.DateOnly), found.Last.Format(time.DateOnly)),
			)
		}
	}
	return found, nil
}
