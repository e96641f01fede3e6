package scoring_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// carrying is a pack with facts.
func carrying(t testing.TB, version string, carry ...string) *pack.Pack {
	t.Helper()
	lines := scoringtest.Lapsing()
	lines = append(lines, "carry:")
	return scoringtest.PackOf(t, version, append(lines, carry...)...)
}

// factsOf are a pack's facts among some.
func factsOf(k *pack.Pack, facts profile.Facts) map[string]string {
	all := map[string]string{}
	for _, f := range k.Carry {
		if text := facts.Text(f.Mark); text != nil {
			all[f.Name] = string(text)
		}
	}
	return all
}

var (
	carryItem   = "  last_item: {of: buy, property: name}"
	carryTicket = "  ticket: {of: ticket, property: ticket.number}"
)

// TestCarry: an alert has the newest texts of the pack's facts, by event time, and none that looks like an address.
func TestCarry(t *testing.T) {
	k := carrying(t, "1", carryItem, carryTicket)
	buy := func(day int64, text string) scoringtest.Happening {
		return scoringtest.Happening{
			At: day * scoringtest.Day, Type: "buy", Texts: map[string]string{"last_item": text, "ticket": "of no ticket"},
		}
	}
	ticket := func(day int64, text string) scoringtest.Happening {
		return scoringtest.Happening{
			At: day * scoringtest.Day, Type: "ticket", Texts: map[string]string{"ticket": text, "last_item": "no item"},
		}
	}
	long := strings.Repeat("lamp ", 30)
	for name, c := range map[string]struct {
		events []scoringtest.Happening
		want   map[string]string
	}{
		"none":                    {[]scoringtest.Happening{buy(0, "")}, map[string]string{}},
		"one":                     {[]scoringtest.Happening{buy(0, "a lamp")}, map[string]string{"last_item": "a lamp"}},
		"the newest":              {[]scoringtest.Happening{buy(0, "a lamp"), buy(1, "a table")}, map[string]string{"last_item": "a table"}},
		"a late one":              {[]scoringtest.Happening{buy(3, "a lamp"), buy(1, "a table")}, map[string]string{"last_item": "a lamp"}},
		"of one time the last":    {[]scoringtest.Happening{buy(1, "a lamp"), buy(1, "a table")}, map[string]string{"last_item": "a table"}},
		"two":                     {[]scoringtest.Happening{buy(1, "a lamp"), ticket(2, "T-1")}, map[string]string{"last_item": "a lamp", "ticket": "T-1"}},
		"a newer one without":     {[]scoringtest.Happening{buy(1, "a lamp"), buy(2, "")}, map[string]string{"last_item": "a lamp"}},
		"a newer one, an address": {[]scoringtest.Happening{buy(1, "a lamp"), buy(2, "bob@x.de")}, map[string]string{"last_item": "a lamp"}},
		"a long one":              {[]scoringtest.Happening{buy(1, long)}, map[string]string{"last_item": strings.TrimSpace(long[:64])}},
	} {
		t.Run(name, func(t *testing.T) {
			all := scoringtest.Decided(k, c.events, 400)
			if len(all) == 0 {
				t.Fatal("no decision")
			}
			if diff := cmp.Diff(c.want, factsOf(k, all[len(all)-1].Facts)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCarryAcrossPacks: with a newer pack the facts stay that it carries by the same name, wherever they then come from.
func TestCarryAcrossPacks(t *testing.T) {
	from := carrying(t, "1", carryItem, carryTicket)
	to := carrying(t, "2", "  a_first: {of: leave, property: a}", "  ticket: {of: dispute, property: other}")
	c, pop := profile.Customer{Profile: &profile.Profile{}}, profile.Population{}
	s := scoring.NewScorer(from)
	for i, name := range []string{"buy", "ticket"} {
		s.Observe(&c, &pop, &scoring.Observation{
			Time: scoringtest.Begin + int64(
				i,
			),
			Signal: from.Signal([]byte(name)),
			Texts:  [][]byte{[]byte("a lamp"), []byte("T-1")},
		})
	}
	if diff := cmp.Diff(map[string]string{"last_item": "a lamp", "ticket": "T-1"}, factsOf(from, c.Facts)); diff != "" {
		t.Fatal(diff)
	}
	scoring.NewMigration(s, scoring.NewScorer(to)).Enter(&c, scoringtest.Begin+5)
	if diff := cmp.Diff(
		map[string]string{"ticket": "T-1"},
		factsOf(to, c.Facts),
	); diff != "" ||
		factsOf(from, c.Facts)["last_item"] != "" {
		t.Errorf("%v%s", factsOf(from, c.Facts), diff)
	}
}

// TestCarryAllocatesNothing per event, once a customer has its facts.
func TestCarryAllocatesNothing(t *testing.T) {
	k := carrying(t, "1", carryItem, carryTicket)
	s, c, pop := scoring.NewScorer(k), profile.Customer{Profile: &profile.Profile{}}, profile.Population{}
	items := [][]byte{[]byte("a lamp"), []byte("a table of oak, for eight"), []byte("x")}
	o := scoring.Observation{
		Time: scoringtest.Begin, Signal: k.Signal([]byte("buy")), Properties: make([]feature.Property, len(k.Properties())),
		Texts: make([][]byte, len(k.Carry)),
	}
	event := func() {
		o.Time += 60_000
		o.Texts[0] = items[o.Time/60_000%3]
		s.Observe(&c, &pop, &o)
	}
	for range 10 {
		event()
	}
	if n := testing.AllocsPerRun(200, event); n != 0 || len(c.Facts) == 0 {
		t.Errorf("%v allocations, facts %x", n, c.Facts)
	}
}
