package alert_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// everyPack are the shipped packs, and some of tests.
func everyPack(t testing.TB) []*pack.Pack {
	t.Helper()
	all := []*pack.Pack{
		scoringtest.PackOf(t, "1", scoringtest.Troubles...), scoringtest.PackOf(t, "1", scoringtest.Lapsing()...),
	}
	for _, name := range pack.Shipped() {
		all = append(all, scoringtest.Must(pack.Load(name, nil, pack.Overrides{})))
	}
	return append(all, goingOn(t))
}

// TestAlertsAreReadBack: the decision behind an alert follows from it, to the last bit, and its pack finds no
// difference.
func TestAlertsAreReadBack(t *testing.T) {
	packs := everyPack(t)
	rapid.Check(t, func(t *rapid.T) {
		k := packs[rapid.IntRange(0, len(packs)-1).Draw(t, "pack")]
		r := alert.NewRenderer(k)
		for _, a := range manyDecided(k, rapid.Uint64().Draw(t, "seed"), 1, 40*scoringtest.Day) {
			if a.Score.Visits > 0 {
				a.Reading = scoringtest.DrawReading(t, a.Score.Sum())
			}
			if a.Kind != profile.Lapse && rapid.Bool().Draw(t, "opened under another pack") {
				a.Opener = pack.MarkOf("not_welcomed")
			}
			b := r.AppendAlert(nil, &a, a.ID())
			back, err := r.Decoded(b)
			if err != nil {
				t.Fatalf("%v: %s", err, b)
			}
			if a.Play != 0 && k.Play(back.Play).ID == k.Play(a.Play).ID &&
				*k.Play(back.Play).At(a.Step) == *k.Play(a.Play).At(a.Step) {
				back.Play = a.Play // the same play may stand in several playbooks
			}
			if !bytes.Equal(scoring.AppendDecision(nil, &back.Decision), scoring.AppendDecision(nil, &a.Decision)) {
				t.Fatalf("(-want +got):\n%s", cmp.Diff(a.Decision, back.Decision))
			}
			if x, err := r.Explain(b); err != nil || len(x.Differences) > 0 {
				t.Fatalf("%+v, %v: %s", x, err, b)
			}
			if again := r.AppendAlert(nil, back, back.ID()); !bytes.Equal(b, again) {
				t.Fatalf("%s\nis rendered again as\n%s", b, again)
			}
		}
	})
}
