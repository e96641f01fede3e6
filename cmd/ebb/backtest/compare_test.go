package backtest

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// comparedPacks are two packs that differ in what is activity, in tiers, in a factor and in when episodes end.
func comparedPacks(t testing.TB) [2]*pack.Pack {
	t.Helper()
	texts := map[string]string{"a.yaml": `
name: a
version: "1"
horizon: 40d
activity: [buy]
signals: {failed: {types: [fail]}, bought: {types: [buy]}}
kinds: {involuntary: {opens: [{signal: failed, floor: 60, code: payment_failed}], closes: [bought], expires: 20d}}
`, "b.yaml": `
name: b
version: "1"
horizon: 40d
tiers: {watch: 40, at_risk: 66, critical: 78}
activity: [buy, other]
signals: {failed: {types: [fail]}, bought: {types: [buy]}}
features: {failures: {kind: count, of: failed, within: 30d}}
factors: [{code: payment_failed, feature: failures, curve: [[0, 0], [1, 0.3]]}]
kinds: {involuntary: {opens: [{signal: failed, floor: 60, code: payment_failed}], closes: [bought], expires: 10d}}
`}
	var packs [2]*pack.Pack
	for i, name := range []string{"a.yaml", "b.yaml"} {
		pack, err := pack.Load(name, func(name string) ([]byte, error) { return []byte(texts[name]), nil }, pack.Overrides{})
		if err != nil {
			t.Fatal(err)
		}
		packs[i] = pack
	}
	return packs
}

func compare(packs [2]*pack.Pack, log []happened, dates []time.Time) *Difference {
	c := NewComparison(packs[0], packs[1], dates, 1000)
	for i := range log {
		c.Observe(&Event{Key: []byte(log[i].customer), Type: []byte(log[i].kind), Time: log[i].at}, nil)
	}
	return c.Finish()
}

// decided holds the parts that make two alerts of different packs the same.
type decided struct {
	customer   string
	kind       profile.Kind
	transition scoring.Transition
	about      int64
}

type sent struct {
	at   int64
	tier profile.Tier
}

// alone folds the log by one pack, customer by customer, and returns its alerts and the customers' states at the end.
func alone(pack *pack.Pack, log []happened) (map[decided][]sent, map[string]profile.Tier) {
	scorer := scoring.NewScorer(pack)
	var pop profile.Population
	customers := map[string]*profile.Customer{}
	all, tiers := map[decided][]sent{}, map[string]profile.Tier{}
	note := func(name string, list []scoring.Decision) {
		for i := range list {
			d := &list[i]
			key := decided{name, d.Kind, d.Transition, d.Since}
			all[key] = append(all[key], sent{d.At, d.Tier})
		}
	}
	wake := func(name string, c *profile.Customer, at int64) {
		for c.Armed != 0 && c.Armed <= at/60_000 {
			note(name, scorer.Wake(c))
		}
	}
	for _, h := range log {
		c := customers[h.customer]
		if c == nil {
			c = &profile.Customer{Profile: &profile.Profile{}}
			customers[h.customer] = c
		}
		wake(h.customer, c, h.at)
		note(h.customer, scorer.Observe(c, &pop, &scoring.Observation{Time: h.at, Signal: pack.Signal([]byte(h.kind))}))
	}
	last := log[len(log)-1].at
	for name, c := range customers {
		wake(name, c, last)
		tiers[name], _ = scorer.TierAt(c, last)
	}
	return all, tiers
}

// TestComparisonIsTwoFolds: the alerts that are the same, changed, or of one pack alone, and the tiers at the end, are
// those of two separate folds joined afterwards.
func TestComparisonIsTwoFolds(t *testing.T) {
	packs := comparedPacks(t)
	total := AlertCount{}
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		got := compare(packs, log, nil)
		a, tiersA := alone(packs[0], log)
		b, tiersB := alone(packs[1], log)
		want := map[[2]string]*AlertCount{}
		at := func(key decided) *AlertCount {
			name := [2]string{key.kind.String(), key.transition.String()}
			if want[name] == nil {
				want[name] = &AlertCount{Kind: name[0], Transition: name[1]}
			}
			return want[name]
		}
		for key, list := range a {
			n := at(key)
			n.A += int64(len(list))
			for i, s := range list {
				switch {
				case i >= len(b[key]):
					n.Removed++
				case b[key][i] == s:
					n.Same++
				default:
					n.Changed++
				}
			}
		}
		for key, list := range b {
			n := at(key)
			n.B += int64(len(list))
			n.Added += int64(max(0, len(list)-len(a[key])))
		}
		for _, n := range got.Alerts {
			if diff := gocmp.Diff(want[[2]string{n.Kind, n.Transition}], &n); diff != "" {
				t.Fatalf("(-two folds +at once):\n%s", diff)
			}
			total.Same, total.Changed = total.Same+n.Same, total.Changed+n.Changed
			total.Added, total.Removed = total.Added+n.Added, total.Removed+n.Removed
		}
		if len(got.Alerts) != len(want) {
			t.Fatalf("%d sorts of alerts, want %d", len(got.Alerts), len(want))
		}
		var tiers [profile.NumTiers][profile.NumTiers]int64
		for name := range tiersA {
			tiers[tiersA[name]][tiersB[name]]++
		}
		if known := got.Migrations[0].Tiers; known != tiers {
			t.Fatalf("tiers %v, want %v", known, tiers)
		}
	})
	if total.Same == 0 || total.Changed == 0 || total.Added == 0 || total.Removed == 0 {
		t.Errorf("the logs hold too little: %+v", total)
	}
}

// TestComparisonBackwards: with the packs exchanged the differences are the same, the other way round.
func TestComparisonBackwards(t *testing.T) {
	packs := comparedPacks(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		dates := []time.Time{time.UnixMilli(start + 100*millisPerDay), time.UnixMilli(start + 200*millisPerDay)}
		there, back := compare(packs, log, dates), compare([2]*pack.Pack{packs[1], packs[0]}, log, dates)
		for i := range back.Alerts {
			n := &back.Alerts[i]
			n.A, n.B, n.Removed, n.Added = n.B, n.A, n.Added, n.Removed
		}
		for _, list := range [][]ChangedAlert{back.Removed, back.Added, back.Changed} {
			for i := range list {
				list[i].A, list[i].B = list[i].B, list[i].A
			}
		}
		if diff := gocmp.Diff(there.Alerts, back.Alerts); diff != "" {
			t.Fatal(diff)
		}
		diff := gocmp.Diff(
			[][]ChangedAlert{there.Removed, there.Added, there.Changed},
			[][]ChangedAlert{back.Added, back.Removed, back.Changed},
		)
		if diff != "" {
			t.Fatal(diff)
		}
		for i := range there.Migrations {
			worse, better := there.Migrations[i].Moved()
			better2, worse2 := back.Migrations[i].Moved()
			if worse != worse2 || better != better2 {
				t.Fatalf("%d worse, %d better; backwards %d and %d", worse, better, worse2, better2)
			}
		}
		if same := compare([2]*pack.Pack{packs[0], packs[0]}, log, dates); same.Differ() {
			t.Fatalf("a pack differs from itself: %+v", same.Alerts)
		}
	})
}
