package encode_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring/encode"
)

// TestSections: sections of any length, after anything, are read as they are written, except for empty ones, which are
// left out.
func TestSections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "before")
		bodies := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 0, 6).Draw(t, "bodies")
		b := bytes.Clone(before)
		for i, body := range bodies {
			at := 0
			b, at = encode.BeginSection(b, byte(i+1))
			b = encode.EndSection(append(b, body...), at)
		}
		b = b[len(before):]
		for i, want := range bodies {
			if len(want) == 0 {
				continue
			}
			tag, body, rest, ok := encode.NextSection(b)
			if !ok || int(tag) != i+1 || !bytes.Equal(body, want) {
				t.Fatalf("section %d: tag %d, %x, %v; want %x", i+1, tag, body, ok, want)
			}
			if _, _, _, ok := encode.NextSection(b[:len(b)-len(rest)-1]); ok && len(want) > 0 {
				t.Fatal("a section that ends early is accepted")
			}
			b = rest
		}
		if len(b) > 0 {
			t.Fatalf("%d bytes are left", len(b))
		}
	})
}

func TestNextSectionDamaged(t *testing.T) {
	for name, b := range map[string][]byte{
		"no length":      {1},
		"no body":        {1, 0},
		"short body":     {1, 3, 9, 9},
		"endless length": bytes.Repeat([]byte{0xff}, 12),
		"huge length":    {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 9},
		"long length":    {1, 0x82, 0, 9, 9}, // 2 in two bytes
	} {
		if _, _, _, ok := encode.NextSection(b); ok {
			t.Errorf("%s is accepted", name)
		}
	}
}
