package scoring_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestContactIsNoEvent: what is said of a customer's contact, at whatever time and by whatever clock, changes nothing else: the
// state and the decisions are those without it.
func TestContactIsNoEvent(t *testing.T) {
	k := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	rapid.Check(t, func(t *rapid.T) {
		var customers [2]profile.Customer
		var scorers [2]*scoring.Scorer
		var populations [2]profile.Population
		for i := range customers {
			customers[i].Profile, scorers[i] = new(profile.Profile), scoring.NewScorer(k)
		}
		now := scoringtest.Begin
		for range rapid.IntRange(1, 20).Draw(t, "events") {
			now += rapid.Int64Range(0, 60*scoringtest.Day).Draw(t, "later")
			o := scoring.Observation{
				Time: now - rapid.SampledFrom([]int64{0, 0, 1, 9}).Draw(t, "late")*scoringtest.Day,
				Signal: k.Signal(
					[]byte(rapid.SampledFrom([]string{"Order Completed", "Checkout Failed", "Email Delivered", "x"}).Draw(t, "type")),
				),
			}
			said := scoring.Observation{
				Time:    now + rapid.SampledFrom([]int64{0, -400, 400, 40_000}).Draw(t, "clock")*scoringtest.Day,
				Contact: profile.ContactChange{Zone: 5, Out: profile.ChannelSet(rapid.Byte().Draw(t, "out"))},
			}
			var alerts [2][]byte
			for i := range customers {
				c := &customers[i]
				for c.Armed != 0 && c.Armed <= now/60_000 {
					alerts[i] = without(alerts[i], scorers[i].Wake(c))
				}
				if i == 1 && rapid.Bool().Draw(t, "said") {
					scorers[i].Observe(c, &populations[i], &said)
				}
				alerts[i] = without(alerts[i], scorers[i].Observe(c, &populations[i], &o))
			}
			if !bytes.Equal(alerts[0], alerts[1]) {
				t.Fatalf("%x, and with a contact %x", alerts[0], alerts[1])
			}
			a, b := *customers[0].Profile, *customers[1].Profile
			if customers[1].Contacted() {
				b.At = 0
			}
			if a != b || !bytes.Equal(customers[0].Features, customers[1].Features) {
				t.Fatalf("%+v, and with a contact %+v", a, b)
			}
		}
	})
}

// without appends decisions without their contact.
func without(dst []byte, all []scoring.Decision) []byte {
	for _, d := range all {
		d.Contact = nil
		dst = scoring.AppendDecision(dst, &d)
	}
	return dst
}
