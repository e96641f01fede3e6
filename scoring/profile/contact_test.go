package profile_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// drawContactChange draws what an event says.
func drawContactChange(t *rapid.T) (c profile.ContactChange) {
	if rapid.Bool().Draw(t, "a zone") {
		c.Zone = rapid.Uint32Range(1, 3).Draw(t, "zone")
	}
	c.Out = profile.ChannelSet(rapid.Byte().Draw(t, "out"))
	if c.Whole = rapid.IntRange(0, 3).Draw(t, "whole") == 0; !c.Whole {
		c.In = profile.ChannelSet(rapid.Byte().Draw(t, "in")) &^ c.Out
	}
	return c
}

// TestContact: of each channel, and of the zone, the newest event that says something counts, of several at the same
// time the last to come; and the state is read back.
func TestContact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type newest struct {
			at  int64
			out bool
		}
		var contact profile.Contact
		channels, zone, zoneAt := map[profile.Channel]newest{}, uint32(0), int64(0)
		for range rapid.IntRange(0, 20).Draw(t, "events") {
			at, change := rapid.Int64Range(0, 9).Draw(t, "at"), drawContactChange(t)
			before := slices.Clone(contact)
			if contact = contact.Apply(at, &change); change == (profile.ContactChange{}) && !bytes.Equal(contact, before) {
				t.Fatalf("%x, after an event that says nothing %x", before, contact)
			}
			if change.Zone != 0 && at >= zoneAt {
				zone, zoneAt = change.Zone, at
			}
			for c := range profile.NumChannels {
				out, in := change.Out&(1<<c) != 0, change.In&(1<<c) != 0
				if n, known := channels[c]; (out || in || change.Whole) && (!known || at >= n.at) {
					channels[c] = newest{at, out}
				}
			}
		}
		want := profile.ChannelSet(0)
		for c, n := range channels {
			if n.out {
				want |= 1 << c
			}
		}
		if got, known := contact.Unsubscribed(); got != want || known != (len(channels) > 0) || contact.Zone() != zone {
			t.Fatalf(
				"%b, known %v, zone %d; want %b, %d channels, zone %d",
				got,
				known,
				contact.Zone(),
				want,
				len(channels),
				zone,
			)
		}
		c := profile.Customer{Profile: &profile.Profile{At: 5}, Contact: contact}
		back := profile.Customer{Profile: &profile.Profile{}}
		if err := profile.Read(
			profile.Append(nil, &c, profile.Format),
			&back,
		); err != nil ||
			!bytes.Equal(back.Contact, contact) {
			t.Fatalf("read back as %x, %v, want %x", back.Contact, err, contact)
		}
	})
}

// TestContactBytes: the layout is stored. A customer of whom nothing is known takes no byte.
func TestContactBytes(t *testing.T) {
	var c profile.Contact
	for at, change := range []profile.ContactChange{
		{Zone: 0x04030201}, {Whole: true, Out: 1 << profile.SMS}, {Out: 1 << profile.Email, In: 1 << profile.SMS},
	} {
		c = c.Apply(int64(at+5), &change)
	}
	want := []byte{7, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 2, 6, 0, 0, 0, 0, 0, 3, 1, 7, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0}
	if !bytes.Equal(c, want) {
		t.Errorf("% x\nwant % x", []byte(c), want)
	}
	p := profile.Profile{At: 5}
	all := profile.Append(nil, &profile.Customer{Profile: &p, Contact: c}, profile.Format)
	bare := profile.Append(nil, &profile.Customer{Profile: &p}, profile.Format)
	if section := append(
		[]byte{28, byte(len(want))},
		want...); !bytes.HasSuffix(all, section) ||
		len(all) != len(bare)+len(section) {
		t.Errorf("% x, want it to end with % x; without a contact % x", all, section, bare)
	}
}

// TestContactRefused: what no event can have left is damage.
func TestContactRefused(t *testing.T) {
	far := []byte{1, 1, 0, 0, 0}
	for range 6 {
		far = append(far, 0xff)
	}
	for name, b := range map[string]profile.Contact{
		"no parts":              {0},
		"a part too many":       {8},
		"a zone that is none":   {1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0},
		"cut":                   {1, 1, 0, 0, 0, 5, 0, 0, 0, 0},
		"more behind it":        {2, 0, 5, 0, 0, 0, 0, 0, 0},
		"no channels":           {4, 0, 0},
		"one that is not noted": {4, 1, 2, 5, 0, 0, 0, 0, 0},
		"older than the list":   {6, 0, 5, 0, 0, 0, 0, 0, 1, 1, 4, 0, 0, 0, 0, 0},
		"beyond any time":       far,
	} {
		if b.Valid() {
			t.Errorf("%s: % x is a contact", name, []byte(b))
		}
	}
	if moment.Max >= 1<<48-1 {
		t.Error("no time is beyond any")
	}
}

// FuzzContact: whatever the bytes, they are no contact, or one that is written back the same.
func FuzzContact(f *testing.F) {
	f.Add([]byte{7, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 2, 6, 0, 0, 0, 0, 0, 3, 1, 7, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if c := profile.Contact(b); c.Valid() {
			if again := slices.Clone(c).Apply(0, &profile.ContactChange{}); !bytes.Equal(again, b) {
				t.Errorf("% x is written back as % x", b, []byte(again))
			}
		}
	})
}

// TestChannelNames: a name in any case is the channel's.
func TestChannelNames(t *testing.T) {
	for n, name := range profile.ChannelNames() {
		for _, text := range []string{name, string(bytes.ToUpper([]byte(name)))} {
			if c, ok := profile.ChannelNamed([]byte(text)); !ok || int(c) != n || c.String() != name {
				t.Errorf("%s is %v, %v", text, c, ok)
			}
		}
	}
	if _, ok := profile.ChannelNamed([]byte("letter")); ok || profile.NumChannels.String() != "unknown" {
		t.Error("a letter is a channel")
	}
}
