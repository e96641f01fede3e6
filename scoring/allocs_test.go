package scoring_test

import (
	"testing"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/model"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// hot is the line's work for every event or alert, on one customer.
type hot struct {
	*scoringtest.Story
	now      int64
	encoded  []byte
	alert    alert.Alert
	pack     *scoring.Scorer
	renderer *alert.Renderer
	out      []byte
	one      profile.Customer
	other    profile.Profile

	probed      int64
	calibration model.Calibration
}

func (h *hot) customer(p *profile.Profile) *profile.Customer {
	h.one.Profile = p
	return &h.one
}

func newHot(t testing.TB) *hot {
	t.Helper()
	h := &hot{
		Story:  scoringtest.Weekly(),
		now:    scoringtest.Begin + 63*scoringtest.Day,
		probed: scoringtest.Begin + 63*scoringtest.Day,
		out:    make([]byte, 0, 8192),
	}
	h.pack, h.renderer = scoring.NewScorer(h.Story.Pack), alert.NewRenderer(h.Story.Pack)
	for id := range uint64(16) {
		h.Profile.Remember(id)
	}
	h.encoded = scoringtest.AppendProfile(nil, &h.Profile)
	p := h.Profile
	for p.Lapse.Number == 0 {
		for _, d := range h.pack.Wake(h.customer(&p)) {
			h.alert = alert.Alert{
				Decision: d,
				Tenant:   []byte("shop"),
				Customer: []byte("c-00000017"),
				Cause:    alert.Cause{Deadline: true, Time: d.At},
			}
		}
		if p.Armed == 0 {
			t.Fatal("no alert")
		}
	}
	return h
}

// steps are the hot paths by name.
func (h *hot) steps() map[string]func() {
	visit, trouble, name := scoring.Observation{
		Signal: scoringtest.Bought,
	}, scoring.Observation{
		Signal: scoringtest.Failed,
	}, []byte(
		"Order Completed",
	)
	fresh := h.Profile
	return map[string]func(){
		"Signal": func() { visit.Signal = h.pack.Pack.Signal(name) },
		"Observe": func() { // a visit five days after the last
			h.now += 5 * scoringtest.Day
			visit.Time = h.now
			h.pack.Observe(h.customer(&h.Profile), &h.Pop, &visit)
		},
		"ObserveSameVisit": func() {
			h.now += 60_000
			visit.Time = h.now
			h.pack.Observe(h.customer(&h.Profile), &h.Pop, &visit)
		},
		"ObserveFirst": func() {
			h.now += 60_000
			visit.Time = h.now
			h.other = scoringtest.Eligible()
			h.pack.Observe(h.customer(&h.other), &h.Pop, &visit)
		},
		"ObserveFriction": func() {
			h.now += 60_000
			trouble.Time = h.now
			h.pack.Observe(h.customer(&h.Profile), &h.Pop, &trouble)
		},
		"Wake": func() {
			h.other = fresh
			h.pack.Wake(h.customer(&h.other))
		},
		"Probe": func() { // a horizon later: one resolves, one begins
			h.probed += 90 * scoringtest.Day
			h.Profile.Last = h.probed
			h.pack.Eval.Probe(h.customer(&h.Profile), h.probed, &h.calibration)
			h.pack.Pack.Model.Advance(&h.calibration, h.probed/60_000)
		},
		"Score":         func() { h.pack.Eval.Score(h.customer(&fresh), h.now) },
		"AppendProfile": func() { h.out = scoringtest.AppendProfile(h.out[:0], &fresh) },
		"ReadProfile": func() {
			var p profile.Profile
			if err := scoringtest.ReadProfile(h.encoded, &p); err != nil {
				panic(err)
			}
		},
		"AppendAlert": func() { h.out = h.renderer.AppendAlert(h.out[:0], &h.alert, h.alert.ID()) },
	}
}

func TestNoAllocations(t *testing.T) {
	for name, step := range newHot(t).steps() {
		if n := testing.AllocsPerRun(200, step); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkHot(b *testing.B) {
	for name, step := range newHot(b).steps() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}
