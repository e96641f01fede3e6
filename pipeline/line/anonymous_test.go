package line

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ebb/pipeline"
	"ebb/scoring/profile"
)

// TestVisitorsOfAPage: a thousand visitors without a customer id leave no state, no alert and nothing in the DLQ, do not
// move the clock, and are counted.
func TestVisitorsOfAPage(t *testing.T) {
	var all, customers []pipeline.Record
	for i := range 1000 {
		r := visit("", "", "", float64(i)/10)
		r.Value = fmt.Appendf(nil, `{"type":"page","anonymousId":"v%d","messageId":"m%d","timestamp":%d}`, i, i, r.Timestamp)
		all = append(all, r)
		if i < 500 {
			c := visit("", fmt.Sprintf("c%d", i%7), "visit", float64(i)/10)
			customers, all = append(customers, c), append(all, c)
		}
	}
	fold := func(records []pipeline.Record) *shelf {
		s := newShelf(t, anyOf(t, 10*24*time.Hour), 0, 0)
		s.put(t, records)
		s.settle(t)
		return s
	}
	without, with := fold(customers), fold(all)
	if with.tally.Anonymous != 1000 || with.tally.Records != 1500 || with.tally.AllQuarantined() != 0 {
		t.Errorf("%+v", with.tally)
	}
	if diff := cmp.Diff(without.left(t), with.left(t), cmp.AllowUnexported(profile.IDRing{})); diff != "" {
		t.Errorf("profiles (-without the visitors +with them):\n%s", diff)
	}
	if diff := cmp.Diff(
		without.meta.Clock,
		with.meta.Clock,
		cmpopts.IgnoreFields(pipeline.FutureEvent{}, "Seen"),
	); diff != "" {
		t.Errorf("clock (-without the visitors +with them):\n%s", diff)
	}
	if len(with.left(t)) != 7 {
		t.Errorf("%d profiles, 7 customers", len(with.left(t)))
	}
}
