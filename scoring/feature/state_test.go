package feature_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ebb/scoring/feature"
	"ebb/scoring/scoringtest"
)

// everyKind has a feature of each kind over two signals.
func everyKind() []feature.Feature {
	return []feature.Feature{
		{Name: "count", Kind: feature.Count, Of: 0, To: -1, Property: -1, Within: 5},
		{Name: "sum", Kind: feature.Sum, Of: 0, To: -1, Property: -1, Within: 365},
		{Name: "active_days", Kind: feature.ActiveDays, Of: 0, To: -1, Property: -1, Within: 30},
		{Name: "since", Kind: feature.Since, Of: 0, To: -1, Property: -1},
		{Name: "trend", Kind: feature.Trend, Of: 1, To: -1, Property: -1, Within: 2, Hourly: true, Least: 1},
		{Name: "distinct", Kind: feature.Distinct, Of: 0, To: -1, Property: 0, Within: 30},
		{Name: "last", Kind: feature.Last, Of: 1, To: -1, Property: 1, Within: 30},
		{Name: "open", Kind: feature.Open, Of: 0, To: 1, Property: -1},
		{Name: "ratio", Kind: feature.Ratio, Of: 1, To: 0, Property: -1, Least: 1},
		{Name: "tenure", Kind: feature.Tenure, Of: -1, To: -1, Property: -1},
		{Name: "total", Kind: feature.Total, Of: 0, To: -1, Property: -1},
		{Name: "priced", Kind: feature.Count, Of: 0, To: -1, Property: -1, Within: 5, Priced: true},
	}
}

// TestEveryKind: the features by which the layout is held are of every kind.
func TestEveryKind(t *testing.T) {
	held := map[feature.Kind]bool{}
	for _, d := range everyKind() {
		held[d.Kind] = true
	}
	for k := range feature.NumKinds {
		if !held[k] {
			t.Errorf("none is a %s", k)
		}
	}
}

// everyKindState is the state after a few events that reach each cell of everyKind.
func everyKindState(f *feature.Set) (state []byte) {
	at := func(d, h int64) int64 { return d*scoringtest.Day + h*hour }
	text := []feature.Property{{Kind: feature.PropertyText, Hash: 7}}
	number := []feature.Property{
		{Kind: feature.PropertyNumber, Number: 7000},
		{Kind: feature.PropertyNumber, Number: -4500},
	}
	for _, o := range []feature.Event{
		{Time: at(20_000, 1), Set: 2},
		{Time: at(20_000, 1) + 5, Set: 1, Value: 300, HasValue: true, Properties: text},
		{Time: at(20_000, 1) + 5, Set: 1, Value: -1, HasValue: true, Properties: text},
		{Time: at(20_020, 2), Set: 1, Properties: number},
		{Time: at(20_020, 2), Set: 1},
		{Time: at(20_020, 3), Set: 1, Properties: number},
		{Time: at(20_020, 3), Set: 1},
		{Time: at(20_020, 3), Set: 2, Properties: number},
	} {
		state, _ = f.Fold(state, &o)
	}
	return state
}

// everyKindBytes is that state, cell by cell.
var everyKindBytes = []string{
	"00 06 344e00 30 1f04",               // counts: day 20,020, 4 events in it; 20 days before, 2
	"01 06 290b00 00d604",                // sums: the week of day 20,000, 299 in it
	"02 06 807b77bc9201",                 // newest: day 20,020, 3 hours
	"03 04 e35407 00",                    // counts: hour 480,483, 1 event; the older one is out of reach
	"04 0d 344e00 001591d3a5 14f47975d9", // two values, the second 20 days before the first
	"05 08 807b77bc9201 a746",            // last: day 20,020, 3 hours, -4500
	"06 19 3c 856e0a559201 fbbcd8b906 00 80dddb01 0100 806e0a559201", // open: 4 times, 1 beyond at the last, solved ahead
	"07 01 06",        // total: 6 events
	"08 04 204e00 10", // counts of events with money: day 20,000, 2 events; those without are none
}

func unhex(tb testing.TB, cells ...string) []byte {
	tb.Helper()
	return scoringtest.Must(hex.DecodeString(strings.ReplaceAll(strings.Join(cells, ""), " ", "")))
}

// TestFeatureBytes: the layout is stored, so it does not change within a version.
func TestFeatureBytes(t *testing.T) {
	f := scoringtest.Must(feature.Compile(everyKind()))
	state, want := everyKindState(f), unhex(t, everyKindBytes...)
	if !bytes.Equal(state, want) || !f.Valid(state) {
		t.Errorf("% x\nwant % x", state, want)
	}
	if state, tooLate := f.Fold(nil, &feature.Event{Time: scoringtest.Begin, Set: 4}); state != nil || tooLate {
		t.Errorf("an event that no feature is of left % x", state)
	}
}

func TestFeatureStateIsRefused(t *testing.T) {
	tests := map[string]string{
		"cell unknown":                 "08 06 807b77bc9201",
		"cell twice":                   "02 06 807b77bc9201 02 06 807b77bc9201",
		"cells out of order":           "02 06 807b77bc9201 00 04 344e00 30",
		"cell without length":          "02",
		"cell without content":         "02 00",
		"length in two bytes":          "02 8600 807b77bc9201",
		"length beyond the end":        "02 07 807b77bc9201",
		"tile cut off":                 "00 02 344e",
		"no tile":                      "00 03 344e00",
		"first tile not the newest":    "00 04 344e00 31",
		"tile out of reach":            "00 06 344e00 30 1f0e",
		"tile before all":              "00 05 000000 30 30",
		"tile after all":               "00 04 ffffff 30",
		"count in too many bytes":      "00 05 344e00 b000",
		"count cut off":                "00 05 344e00 b0b0",
		"count of too many":            "00 07 344e00 80808001",
		"distance cut off":             "00 05 344e00 30 1f",
		"distance of ages":             "00 0d 344e00 30 1f ffffffffffff1f",
		"distance beyond all":          "00 0e 344e00 30 1f ffffffffffffffff1f",
		"sum too large":                "01 0a 290b00 00 ffffffffff7f",
		"sum of eleven bytes":          "01 0f 290b00 00 8080808080808080808001",
		"sum cut off":                  "01 04 290b00 00",
		"newest cut off":               "02 05 807b77bc92",
		"newest too long":              "02 07 807b77bc920100",
		"newest after all":             "02 06 ffffffffffff",
		"no value":                     "04 03 344e00",
		"first value not the newest":   "04 08 344e00 011591d3a5",
		"values out of order":          "04 0d 344e00 001591d3a5 001591d3a4",
		"value twice":                  "04 0d 344e00 001591d3a5 011591d3a5",
		"value out of reach":           "04 0d 344e00 001591d3a5 1e1591d3a4",
		"value cut off":                "04 0c 344e00 001591d3a5 141591d3",
		"value before all":             "04 0d 010000 001591d3a5 021591d3a4",
		"value after all":              "04 08 ffff0f 001591d3a5",
		"seventeen values":             "04 58 344e00 " + manyValues(17),
		"last cut off":                 "05 06 807b77bc9201",
		"last after all":               "05 07 ffffffffffff00",
		"last too long":                "05 08 807b77bc9201 0000",
		"queue of nothing":             "06 00",
		"queue never used":             "06 01 00",
		"queue of five":                "06 0b 0d 856e0a559201 00 00 00 00",
		"queue cut off":                "06 06 09 856e0a5592",
		"queue too long":               "06 08 09 856e0a559201 00",
		"items never opened":           "06 07 01 856e0a559201",
		"item after all":               "06 07 09 ffffffffffff",
		"items beyond fewer than four": "06 09 19 856e0a559201 01 00",
		"no items beyond":              "06 0c 1c 856e0a559201 00 00 00 00 00",
		"item beyond after all":        "06 12 1c 856e0a559201 00 00 00 01 ffffffffffff0f",
		"solved though open":           "06 0d 29 856e0a559201 866e0a559201",
		"solved after all":             "06 07 20 ffffffffffff",
		"total of nothing":             "07 01 00",
		"total in too many bytes":      "07 02 8600",
		"total of too many":            "07 05 ffffffff1f",
		"total cut off":                "07 01 86",
		"unknown flag":                 "06 07 49 856e0a559201",
	}
	f := scoringtest.Must(feature.Compile(everyKind()))
	for name, state := range tests {
		if f.Valid(unhex(t, state)) {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, state := range append(
		everyKindBytes,
		"",
		"04 53 344e00 "+manyValues(16),
		"06 01 08",
		"06 07 20 856e0a559201",
		"06 0d 29 856e0a559201 856e0a559201",
	) {
		if !f.Valid(unhex(t, state)) {
			t.Errorf("%s: refused", state)
		}
	}
}

// manyValues are so many different values seen on one day.
func manyValues(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "00 000000%02x", i)
	}
	return b.String()
}

// FuzzFeatureState: every accepted state can be read and folded into, stays within its bound, and has values that only
// an edge or an event changes.
func FuzzFeatureState(f *testing.F) {
	packs := [...]*feature.Set{
		scoringtest.Must(feature.Compile(everyKind())),
		scoringtest.Must(feature.Compile(shopFeatures())),
	}
	f.Add(false, everyKindState(packs[0]), uint64(3), int64(20_030*scoringtest.Day))
	for _, n := range []int{30, 3000} {
		f.Add(true, newFeatureCustomer(f, n).state, uint64(1<<ordered|1<<ticketOpened), scoringtest.Begin+366*scoringtest.Day)
	}
	for _, cell := range everyKindBytes {
		f.Add(false, unhex(f, cell), uint64(2), int64(20_000*scoringtest.Day))
	}
	f.Fuzz(func(t *testing.T, shop bool, state []byte, set uint64, at int64) {
		k := packs[0]
		if shop {
			k = packs[1]
		}
		if !k.Valid(state) {
			return
		}
		at = 31_536_000_000 + int64(uint64(at)%7_226_582_400_000) // 1971 to 2199
		for range 3 {
			if len(state) > k.MaxState() {
				t.Fatalf("%d bytes, %d at most", len(state), k.MaxState())
			}
			values := k.Values(nil, feature.All, state, scoringtest.Begin, at)
			edge := k.EdgeOfAny(values, state, scoringtest.Begin, at)
			later := k.Values(nil, feature.All, state, scoringtest.Begin, edge-1)
			if edge <= at || !slices.Equal(values, later) {
				t.Fatalf("%+v at %d, %+v before the edge at %d", values, at, later, edge)
			}
			for i, r := range k.Ranges(nil, feature.All, state, scoringtest.Begin, at, at+50*scoringtest.Day) {
				if v := values[i]; v.OK && (v.N < r.Least || v.N > r.Greatest || !r.Sometimes) || !v.OK && r.Always {
					t.Fatalf("%+v outside %+v", v, r)
				}
			}
			o := feature.Event{Time: at, Set: set, Value: at, HasValue: true, Properties: []feature.Property{
				{Kind: feature.PropertyText, Hash: set}, {Kind: feature.PropertyNumber, Number: -at},
			}}
			state, _ = k.Fold(state, &o)
			if !k.Valid(state) {
				t.Fatalf("not to be stored: % x", state)
			}
			at += scoringtest.Day
		}
	})
}

func TestFeaturesAreRefused(t *testing.T) {
	tests := []struct {
		name, problem string
		decl          feature.Feature
	}{
		{"kind", "unknown", feature.Feature{Kind: feature.NumKinds}},
		{"signal", "of a signal, 0 to 63", feature.Feature{Kind: feature.Since, Of: 64}},
		{"no signal", "of a signal, 0 to 63", feature.Feature{Kind: feature.Count, Of: -1, Within: 1}},
		{"no window", "0 days, must be 1 to 400", feature.Feature{Kind: feature.Count}},
		{"days", "401 days", feature.Feature{Kind: feature.Sum, Within: 401}},
		{"hours", "49 hours, must be 1 to 48", feature.Feature{Kind: feature.Distinct, Within: 49, Hourly: true}},
		{"hours of days", "made of days", feature.Feature{Kind: feature.ActiveDays, Within: 2, Hourly: true}},
		{"window of since", "a since has no window", feature.Feature{Kind: feature.Since, Within: 2}},
		{"sum of", "or of money", feature.Feature{Kind: feature.Sum, Property: 16, Within: 2}},
		{"distinct", "of a property, 0 to 15", feature.Feature{Kind: feature.Distinct, Property: -1, Within: 2}},
		{"last", "of a property, 0 to 15", feature.Feature{Kind: feature.Last, Property: 16, Within: 2}},
		{"open by itself", "solved by another", feature.Feature{Kind: feature.Open, Of: 3, To: 3}},
		{"open for ever", "solved by another", feature.Feature{Kind: feature.Open, Of: 3, To: -1}},
		{"ratio of a later one", "declared before", feature.Feature{Kind: feature.Ratio, Of: 0, To: 1, Least: 1}},
		{"ratio of none", "declared before", feature.Feature{Kind: feature.Ratio, Of: -1, To: 0, Least: 1}},
		{"ratio by nothing", "least is 0", feature.Feature{Kind: feature.Ratio}},
		{"trend of nothing", "least is 0", feature.Feature{Kind: feature.Trend, Within: 2}},
		{"since never", "is not zero", feature.Feature{Kind: feature.Since, AbsentZero: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.decl.Name = "bad"
			good := feature.Feature{Name: "good", Kind: feature.Tenure}
			_, err := feature.Compile([]feature.Feature{good, tt.decl})
			if err == nil || !strings.Contains(err.Error(), "feature bad: ") ||
				!strings.Contains(err.Error(), tt.problem) {
				t.Errorf("error %v", err)
			}
		})
	}
	_, err := feature.Compile(make([]feature.Feature, 129))
	if err == nil || !strings.Contains(err.Error(), "128 at most") {
		t.Errorf("129 features: error %v", err)
	}
	var large []feature.Feature
	for i := range 12 {
		large = append(
			large,
			feature.Feature{Name: fmt.Sprintf("sum %d", i), Kind: feature.Sum, Of: i, Property: -1, Within: min(10*i+5, 100)},
		)
	}
	_, err = feature.Compile(large)
	if err == nil || !strings.Contains(err.Error(), "could take 4972 bytes, 4096 at most") ||
		!strings.Contains(err.Error(), "sum 10") {
		t.Errorf("error %v", err)
	}
	if f, err := feature.Compile(nil); err != nil || f.MaxState() != 0 || !f.Valid(nil) || f.Valid([]byte{0}) {
		t.Errorf("no features: %+v, error %v", f, err)
	}
}

func TestFeatureKindNames(t *testing.T) {
	var names []string
	for k := range feature.NumKinds + 1 {
		names = append(names, k.String())
	}
	want := "count sum active_days since trend distinct last open ratio tenure total unknown"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
