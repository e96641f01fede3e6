package line

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/linetest/oracle"
	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// convertingPack has a value action that is activity, one that is none, and a trouble that is activity, too.
func convertingPack(t testing.TB) *pack.Pack {
	t.Helper()
	const text = "name: trial\nversion: 1\nhorizon: 20d\nactivity: [view, order, rejected]\n" +
		"friction: {rejected: 1, complaint: 0.5, letter: 0}\nraise: {regular: watch}\n" +
		"signals: {done: {types: [order, paid]}}\nconverts: done\n"
	k, err := pack.Load("trial.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestConversionsAgreeWithFold: on seeded logs with late and repeated events the line raises, escalates, recovers and
// converts as the independent fold does; events may be activity and friction at once.
func TestConversionsAgreeWithFold(t *testing.T) {
	k := convertingPack(t)
	settings := oracle.Settings{
		Horizon:  20,
		Activity: map[string]bool{"view": true, "order": true, "rejected": true},
		Friction: map[string]float64{"rejected": 1, "complaint": 0.5, "letter": 0},
		Converts: map[string]bool{"order": true, "paid": true},
		Lateness: time.Hour,
	}
	seen := map[string]int{}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		var records []pipeline.Record
		var input []oracle.Record
		day := 0.0
		customers, pause := 1+r.IntN(8), 0.2+3*r.Float64()
		for i := range 100 + r.IntN(200) {
			day += r.ExpFloat64() * pause
			at := day
			if r.IntN(8) == 0 {
				at -= r.Float64() * 20
			}
			kind := []string{"view", "view", "view", "order", "rejected", "complaint", "paid", "letter", "unknown"}[r.IntN(9)]
			v := visit(fmt.Sprint("e", i-r.IntN(20)/19), fmt.Sprint("c", r.IntN(customers)), kind, 30+at)
			records = append(records, v)
			input = append(input, oracle.Record{Offset: int64(i), Value: v.Value})
		}
		want := map[string][]string{}
		for _, a := range oracle.Fold([][]oracle.Record{input}, settings).Alerts {
			at := time.Unix(a.Seconds, 0).UTC()
			want[a.Customer] = append(want[a.Customer], fmt.Sprintf(
				"%s %d/%d %s %s", at.Format("2006-01-02T15:04:05"), a.Episode, a.Sequence, a.Transition, a.Tier,
			))
			seen[a.Transition]++
		}
		if diff := cmp.Diff(want, alertsOf(t, k, records, 1+r.IntN(50)), cmp.Comparer(sameLine)); diff != "" {
			t.Fatalf("seed %d: alerts (-fold +line):\n%.3000s", seed, diff)
		}
	}
	t.Log(seen)
	if seen["converted"] < 100 || seen["recovered"] < 100 || seen["escalated"] < 50 {
		t.Error("the logs are too tame")
	}
}

// sameLine compares alerts, whose minute rounding may move by one.
func sameLine(a, b string) bool {
	x, restA, _ := strings.Cut(a, " ")
	y, restB, _ := strings.Cut(b, " ")
	at, errA := time.Parse("2006-01-02T15:04:05", x)
	bt, errB := time.Parse("2006-01-02T15:04:05", y)
	return errA == nil && errB == nil && restA == restB && at.Sub(bt).Abs() <= time.Minute
}

// alertsOf are the alerts of a line by customer, that folds records in batches of a size and goes on from its committed
// state now and then.
func alertsOf(t *testing.T, k *pack.Pack, records []pipeline.Record, size int) map[string][]string {
	t.Helper()
	s := newShelf(t, k, 0, time.Hour)
	for part := range slices.Chunk(records, size) {
		s.put(t, part)
		if size%3 == 0 {
			s.restart()
		}
	}
	s.settle(t)
	got := map[string][]string{}
	for _, b := range s.outbox {
		e := pipeline.MustReadEntry(b)
		if e.Kind != pipeline.EntryAlert {
			continue
		}
		d := &e.Alert.Decision
		got[string(e.Alert.Customer)] = append(got[string(e.Alert.Customer)], fmt.Sprintf(
			"%s %d/%d %v %v",
			time.UnixMilli(d.At).UTC().Format("2006-01-02T15:04:05"),
			d.Episode,
			d.Sequence,
			d.Transition,
			d.Tier,
		))
	}
	return got
}

// TestWithheldNeverConverts: an episode whose raise was withheld converts in secret, whether it is still silent, ends by
// the same event or ended before. The next one is not affected.
func TestWithheldNeverConverts(t *testing.T) {
	quiet := stages[1]
	defer func() { stages[1] = quiet }()
	k := convertingPack(t)
	for name, c := range map[string]struct {
		types []string // one on each of the days after the raise
		want  []string
	}{
		"by an order":            {[]string{"order"}, []string{"recovered", "converted"}},
		"after a view":           {[]string{"view", "order"}, []string{"recovered", "converted"}},
		"while it is silent":     {[]string{"paid", "view"}, []string{"converted", "recovered"}},
		"not, and another comes": {[]string{"view"}, []string{"recovered"}},
	} {
		for _, withheld := range []bool{true, false} {
			stages[1] = func(d *decided) string {
				if withheld && d.Alert.Transition == scoring.Raised && d.Alert.Episode == 1 {
					return "quiet"
				}
				return quiet(d)
			}
			s := newShelf(t, k, 0, 0)
			s.put(t, []pipeline.Record{visit("1", "c", "view", 0)})
			day := 1.0
			for ; episodes(t, s) == 0; day++ { // the clock of another customer
				s.put(t, []pipeline.Record{visit("", "regular", "letter", day)})
			}
			for i, kind := range c.types {
				s.put(t, []pipeline.Record{visit(fmt.Sprint("t", i), "c", kind, day+float64(i))})
			}
			before := transitions(s)
			for n := day + float64(len(c.types)); episodes(t, s) == 1; n++ {
				if n > 1000 {
					t.Fatalf("%s, withheld %v: no other episode after %v", name, withheld, before)
				}
				s.put(t, []pipeline.Record{visit("", "regular", "letter", n)})
			}
			want, unsent := append([]string{"raised", "escalated"}, c.want...), uint64(0)
			if withheld {
				unsent, want = uint64(len(want)), nil
			}
			if diff := cmp.Diff(want, before); diff != "" {
				t.Errorf("%s, withheld %v: %s", name, withheld, diff)
			}
			after := transitions(s)[len(before):]
			var sum uint64
			for _, n := range s.tally.Unsent[profile.Lapse] {
				sum += n
			}
			if !slices.Equal(after, []string{"raised"}) || sum != unsent {
				t.Errorf("%s, withheld %v: then %v; %d unsent, want %d", name, withheld, after, sum, unsent)
			}
		}
	}
}

// episodes is the number of c's newest episode.
func episodes(t *testing.T, s *shelf) uint32 {
	t.Helper()
	s.settle(t)
	p := s.left(t)[key("c")]
	return p.Lapse.Number
}

// transitions are those of c that have come to the outbox.
func transitions(s *shelf) (all []string) {
	for _, b := range s.outbox {
		if e := pipeline.MustReadEntry(b); e.Kind == pipeline.EntryAlert && string(e.Alert.Customer) == "c" {
			all = append(all, e.Alert.Transition.String())
		}
	}
	return all
}

// TestFactsOfTheLine: facts come from the record to the decision, are stored with the customer, and end with its state.
func TestFactsOfTheLine(t *testing.T) {
	const text = "name: trial\nversion: 1\nhorizon: 20d\nactivity: [view]\nsignals: {seen: {types: [view]}}\n" +
		"carry: {item: {of: seen, property: product.name}}\n"
	k, err := pack.Load("trial.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	s := newShelf(t, k, retained*time.Millisecond, 0)
	record := func(customer, item string, day int64) pipeline.Record {
		at := int64(1_700_000_000_000) + day*pipeline.DayMillis
		return pipeline.Record{Timestamp: at, Value: fmt.Appendf(
			nil, `{"customer":%q,"type":"view","time":%d,"properties":{"product":{"name":%q}}}`, customer, at, item,
		)}
	}
	fold := func(records ...pipeline.Record) {
		b := &Batch{decoder: decode.New(0).Reading(k), pack: k, settings: s.Settings()}
		for i := range records {
			records[i].Offset = s.Next() + int64(i)
		}
		s.begins()
		b.Fetched.Records, b.Fetched.Next = records, s.Next()+int64(len(records))
		b.Decode()
		if err := s.foldAll(b, s.load, s.commit); err != nil {
			t.Fatal(err)
		}
	}
	stored := func() string {
		at := profile.Customer{Profile: &profile.Profile{}}
		if b := s.profiles[key("c")]; b != nil {
			if err := profile.Read(b, &at); err != nil {
				t.Fatal(err)
			}
		}
		return string(at.Facts.Text(k.Carry[0].Mark))
	}
	fold(record("c", "a lamp", 0), record("c", "a \u00fctable", 1))
	s.restart() // from what is stored
	fold(record("c", "", 2), record("d", "a chair", 2))
	if got := stored(); got != "a \u00fctable" {
		t.Fatalf("stored: %q", got)
	}
	for day := int64(3); day < 55; day++ {
		fold(record("regular", "a chair", day))
	}
	s.settle(t)
	raised := 0
	for _, b := range s.outbox {
		if e := pipeline.MustReadEntry(b); e.Kind == pipeline.EntryAlert && string(e.Alert.Customer) == "c" {
			if got := string(e.Alert.Facts.Text(k.Carry[0].Mark)); got != "a \u00fctable" {
				t.Errorf("%v with %q", e.Alert.Transition, got)
			}
			raised++
		}
	}
	for day := int64(55); day < 900 && s.profiles[key("c")] != nil; day++ {
		fold(record("regular", "a chair", day))
		s.settle(t)
	}
	fold(record("c", "", 900))
	if got := stored(); raised == 0 || got != "" || s.profiles[key("c")] == nil {
		t.Errorf("%d alerts; a customer who was removed comes back with %q", raised, got)
	}
}
