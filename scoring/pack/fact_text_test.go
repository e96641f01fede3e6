package pack_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// TestFactText: what is carried of a text, and what is not.
func TestFactText(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		"p-17":                  "p-17",
		"  A lamp\r\n\tbrass  ": "A lampbrass",
		"a\u200bb\u202ec\x00":   "abc",
		"\u00a0 \u2003":         "",
		"Lampe für 12 €":        "Lampe für 12 €",
		"家具":                    "家具",
		"a\xffb":                "ab",
		"\ufffd":                "\ufffd",

		strings.Repeat("x", 64):         strings.Repeat("x", 64),
		strings.Repeat("x", 65):         strings.Repeat("x", 64),
		strings.Repeat("x", 63) + "ä":   strings.Repeat("x", 63),
		strings.Repeat("家", 30):         strings.Repeat("家", 21),
		strings.Repeat("x", 60) + " 😀😀": strings.Repeat("x", 60),
		strings.Repeat("\n", 100) + "x": "x",

		// addresses
		"bob@example.com":                        "",
		"ask for Bob <bob.b@example.co.uk>, now": "",
		"bob%40example.com":                      "",
		"bob＠example.com":                        "",
		"b\u200bob@\u200bexample.com":            "",
		"bob@localhost":                          "",
		"https://bob:secret@shop.example/x":      "",
		"//bob@shop.example":                     "",
		"https://shop.example/lamps?x=1":         "https://shop.example/lamps?x=1",
		"lamps @ home":                           "lamps @ home",
		"@home":                                  "@home",
		"two for 5@":                             "two for 5@",
		strings.Repeat("x ", 60) + "bob@x.de":    "", // also where it would be cut off
		"x" + strings.Repeat("y", 62) + "@y":     "",

		// numbers that one dials or pays to
		"+49 171 1234567":        "",
		"+1-555-0100":            "",
		"+4915112345678":         "",
		"0171/1234567":           "",
		"(0171) 123 45 67":       "",
		"call 0171 1234567 now":  "",
		"tel:01711234567":        "",
		"555-123-4567":           "",
		"(555) 123-4567":         "",
		"4111 1111 1111 1111":    "",
		"DE89 3704 0044 0532 01": "",
		"１２３４５６７８９０":             "",
		"a1 0171 1234567":        "",

		// numbers of other things
		"10023":                                "10023",
		"123456789":                            "123456789",
		"INV-2026-0012345":                     "INV-2026-0012345",
		"R/2026/0012345":                       "R/2026/0012345",
		"A0012345678":                          "A0012345678",
		"2026-03-01":                           "2026-03-01",
		"iPhone 15 Pro 256 GB":                 "iPhone 15 Pro 256 GB",
		"55018400-1234-41d4-a716-446655440000": "55018400-1234-41d4-a716-446655440000",
		"12.5 kg":                              "12.5 kg",
		"10.0.0.1":                             "10.0.0.1",
		"0815":                                 "0815",
	} {
		if got := string(pack.AppendFact([]byte("before "), []byte(text))); got != "before "+want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestFactTextAlways: whatever comes, what is carried is short, shows itself, and comes out of it unchanged.
func TestFactTextAlways(t *testing.T) {
	part := rapid.OneOf(
		rapid.String(), rapid.SampledFrom([]string{"@", " ", "0171 ", "1234567", "+", "x", "-", "ä", "\n", "%40", "家", "😀"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(part, 0, 30).Draw(t, "parts"), "")
		got := string(pack.AppendFact(nil, []byte(text)))
		if len(got) > profile.MaxFactSize || !utf8.ValidString(got) || got != strings.Trim(got, " \u00a0\u3000") ||
			strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("%q becomes %q", text, got)
		}
		if again := string(pack.AppendFact(nil, []byte(got))); again != got {
			t.Fatalf("%q becomes %q, and that %q", text, got, again)
		}
	})
}

// TestFactTextAllocates nothing with memory to write to.
func TestFactTextAllocates(t *testing.T) {
	dst, text := make(
		[]byte,
		0,
		256,
	), []byte(
		"A lamp for the desk, brass, of 1905, with a shade of green glass, and a switch",
	)
	if n := testing.AllocsPerRun(100, func() { dst = pack.AppendFact(dst[:0], text) }); n != 0 || len(dst) == 0 {
		t.Errorf("%v allocations for %q", n, dst)
	}
}
