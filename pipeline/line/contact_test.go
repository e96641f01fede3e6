package line

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/profile"
	"ebb/scoring/zone"
)

// contactText is what an alert will say of its customer's contact, without the times.
func contactText(e *pipeline.Entry) string {
	out, known := e.Alert.Contact.Unsubscribed()
	name := func(mark uint32) string {
		if z := zone.Marked(zone.Mark(mark)); z != nil {
			return z.Name
		}
		return "none"
	}
	return fmt.Sprintf("%s: %s, else %s; known %v, out of %08b", e.Key,
		name(e.Alert.Contact.Zone()), name(e.Alert.Home), known, out)
}

func record(day float64, tenant, customer, kind, properties string) pipeline.Record {
	at := int64(1_700_000_000_000) + int64(day*pipeline.DayMillis)
	return pipeline.Record{Timestamp: at, Value: fmt.Appendf(nil,
		`{"tenant":%q,"customer":%q,"type":%q,"time":%d,"properties":%s}`, tenant, customer, kind, at, properties)}
}

// TestContactOfTheLine: what events say of a customer's contact comes to its alerts, whatever the batches and restarts; a
// sign-up may say it before anything else; without a zone of its own the customer has its tenant's.
func TestContactOfTheLine(t *testing.T) {
	begin := []pipeline.Record{
		record(0, "", "c", "identify", `{"zone":"Asia/Tokyo","unsubscribed":["sms"]}`), // before any activity
		record(0.1, "", "c", "visit", `{}`),
		record(0.1, "", "d", "visit", `{}`),
		record(0.1, "us", "e", "visit", `{}`),
		record(0.1, "atlantis", "f", "visit", `{}`),
		record(0.2, "", "d", "identify", `{"zone":"Mars/Olympus","unsubscribed":["telepathy"]}`),
		record(0.3, "", "e", "Unsubscribed", `{}`), // of another tenant
		record(1, "", "c", "Unsubscribed", `{"channel":"email"}`),
		record(0.9, "", "c", "Resubscribed", `{"channel":"email"}`), // late
		record(2, "", "c", "Resubscribed", `{"channel":"sms"}`),
		record(3, "us", "e", "Unsubscribed", `{"channel":"all"}`),
	}
	for day := 4.0; day < 40; day++ {
		begin = append(begin, record(day, "", "clock", "visit", `{}`))
	}
	run := func(size func() int) *shelf {
		s := newShelf(t, anyOf(t, 20*24*time.Hour), 0, 0)
		s.cfg.Settings.Zone, s.cfg.Settings.Zones = "Europe/Berlin", `{"us":"America/New_York","atlantis":"Sea/Atlantis"}`
		s.restart()
		for rest := slices.Clone(begin); len(rest) > 0; {
			n := min(size(), len(rest))
			s.put(t, rest[:n])
			rest = rest[n:]
			s.restart()
		}
		s.settle(t)
		return s
	}
	text := func(s *shelf) (all []string) {
		for _, b := range s.outbox {
			if e := pipeline.MustReadEntry(b); e.Kind == pipeline.EntryAlert && e.Alert.Transition == scoring.Raised {
				all = append(all, contactText(&e))
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	whole := run(func() int { return len(begin) })
	want := []string{
		"\x00c: Asia/Tokyo, else none; known true, out of 00000001",
		"\x00d: none, else Europe/Berlin; known false, out of 00000000",
		"\x02use: none, else America/New_York; known true, out of 11111111",
		"\x08atlantisf: none, else none; known false, out of 00000000",
	}
	if diff := cmp.Diff(want, slices.DeleteFunc(text(whole), func(s string) bool { return s[1] == 'e' })); diff != "" {
		t.Error(diff)
	}
	if n := whole.tally; n.NoZone != 1 || n.NoChannel != 1 || n.AllQuarantined() != 0 {
		t.Errorf("%d zones and %d channels that are none, %d quarantined", n.NoZone, n.NoChannel, n.AllQuarantined())
	}
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 1))
		part := run(func() int { return 1 + rng.IntN(8) })
		if diff := cmp.Diff(text(whole), text(part)) + cmp.Diff(whole.profiles, part.profiles); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
	}
}

// TestContactIsForgotten: a customer of whom nothing but the contact is known is removed like any other, and with it all.
func TestContactIsForgotten(t *testing.T) {
	s := newShelf(t, anyOf(t, 10*24*time.Hour), 20*24*time.Hour, 0)
	s.put(t, []pipeline.Record{
		record(0, "", "c", "identify", `{"zone":"UTC"}`), record(0, "", "nobody", "identify", `{"name":"x"}`),
		record(0, "", "clock", "visit", `{}`),
	})
	s.settle(t)
	c := profile.Customer{Profile: &profile.Profile{}}
	if err := profile.Read(
		s.profiles[key("c")],
		&c,
	); err != nil || c.Contact.Zone() == 0 ||
		s.profiles[key("nobody")] != nil {
		t.Fatalf("%x, %v; who says nothing: %x", c.Contact, err, s.profiles[key("nobody")])
	}
	for day := 1.0; day < 30; day++ {
		s.put(t, []pipeline.Record{record(day, "", "clock", "visit", `{}`)})
		s.settle(t)
	}
	if s.profiles[key("c")] != nil {
		t.Error("it is still there")
	}
	s.put(t, []pipeline.Record{record(30, "", "c", "visit", `{}`)})
	c = profile.Customer{Profile: &profile.Profile{}}
	if err := profile.Read(s.profiles[key("c")], &c); err != nil || len(c.Contact) > 0 {
		t.Errorf("who is back is known to be in %x, %v", c.Contact, err)
	}
}
