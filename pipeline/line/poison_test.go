package line

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"ebb/pipeline"
)

// naivePoison is a simple Poison: a list of the window's records.
type naivePoison []bool

func (p *naivePoison) add(bad bool) {
	*p = append(*p, bad)
	if len(*p) > pipeline.PoisonWindow {
		*p = (*p)[1:]
	}
}

func (p *naivePoison) count() (n int) {
	for _, bad := range *p {
		if bad {
			n++
		}
	}
	return n
}

// TestPoisonCountsTheWindow compares it with a list, through any number of restarts.
func TestPoisonCountsTheWindow(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var p pipeline.Poison
		var want naivePoison
		for range rapid.IntRange(1, 8).Draw(r, "stretches") {
			odds := rapid.IntRange(0, 8).Draw(r, "odds")
			seed := rapid.Uint64().Draw(r, "seed")
			rng := rand.New(rand.NewPCG(seed, 1))
			for range rapid.IntRange(1, 1500).Draw(r, "records") {
				bad := rng.IntN(8) < odds
				more := p.With()
				p.Add(bad)
				want.add(bad)
				if bad && more != p.Count {
					r.Fatalf("one more would make %d, and made %d", more, p.Count)
				}
				if p.Count != want.count() || !p.Sound() || p.Count == 0 && p != (pipeline.Poison{}) {
					r.Fatalf("%+v, want %d", p, want.count())
				}
			}
			b, err := json.Marshal(&pipeline.Meta{Poison: p})
			var back pipeline.Meta
			if err = errors.Join(err, json.Unmarshal(b, &back)); err != nil || back.Poison != p {
				r.Fatalf("%+v became %+v: %v", p, back.Poison, err)
			}
			p = back.Poison
		}
	})
}

func TestPoisonRingRefuses(t *testing.T) {
	for name, text := range map[string]string{"no base64": `"#"`, "too few bytes": `"AAAA"`, "no text": `7`} {
		var r pipeline.PoisonRing
		if err := json.Unmarshal([]byte(text), &r); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for name, p := range map[string]pipeline.Poison{
		"count": {Count: 1},
		"below": {At: -1},
		"above": {At: pipeline.PoisonWindow},
		"ring":  {Ring: pipeline.PoisonRing{1}},
	} {
		if p.Sound() {
			t.Errorf("%s: sound", name)
		}
	}
}

func TestBreakerLimit(t *testing.T) {
	for share, want := range map[float64]int{
		0:       0,
		1:       0,
		0.5:     500,
		0.57:    570,
		0.9999:  999,
		0.001:   1,
		0.00001: 1,
		0.0015:  1,
	} {
		if got := breakerLimit(share); got != want {
			t.Errorf("%g: %d, want %d", share, got, want)
		}
	}
}

// TestBreakerTripsAtOneRecord: with any restarts, the line admits the same records and stops before the same one.
func TestBreakerTripsAtOneRecord(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 2))
		limit := rapid.SampledFrom([]int{1, 20, 300}).Draw(r, "limit")
		passed := rapid.Int64Range(0, 1500).Draw(r, "passed")
		codes := make([]pipeline.Code, 3000)
		start := rng.IntN(2000)
		for i := range codes {
			if rng.IntN(1000) < 5 || i >= start && rng.IntN(3) > 0 {
				codes[i] = pipeline.NotJSON
			}
		}
		want := int64(-1)
		var naive naivePoison
		for i, c := range codes {
			naive.add(c != pipeline.Usable)
			if offset := int64(2 * i); c != pipeline.Usable && offset >= passed && naive.count() > limit {
				want = offset
				break
			}
		}
		if got := admitted(r, rng, codes, breaker{limit: limit, passed: passed}); got != want {
			r.Fatalf("stopped before %d, want %d", got, want)
		}
	})
}

// admitted puts records at every second offset through lines that are restarted now and then, and returns the offset of
// the one that the breaker stopped at, -1 for none.
func admitted(r *rapid.T, rng *rand.Rand, codes []pipeline.Code, br breaker) int64 {
	l := &Line{breaker: br}
	for at, code := range codes {
		e := &pipeline.Event{Offset: int64(2 * at), Code: code}
		if _, ok := errors.AsType[*pipeline.HardStop](l.admit(e)); ok {
			next := &Line{breaker: br, meta: pipeline.Meta{Poison: l.meta.Poison}}
			if err := next.admit(e); err == nil || next.meta.Poison != l.meta.Poison {
				r.Fatalf("the next owner takes in the record at %d: %v", e.Offset, err)
			}
			return e.Offset
		}
		if rng.IntN(200) == 0 {
			l = &Line{breaker: br, meta: pipeline.Meta{Poison: l.meta.Poison}}
		}
	}
	return -1
}
