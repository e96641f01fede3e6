package kafkawire_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline/kafkawire"
)

// list is the headers in b as pairs; a null value shows as "<null>".
func list(b []byte) (out [][2]string) {
	for key, value := range kafkawire.Headers(b) {
		v := string(value)
		if value == nil {
			v = "<null>"
		}
		out = append(out, [2]string{string(key), v})
	}
	return out
}

func TestAppendHeaders(t *testing.T) {
	one := kafkawire.AppendHeaders(nil, nil, kafkawire.Header{Key: "a", Value: []byte("1")}, kafkawire.Header{Key: "n"})
	for name, c := range map[string]struct {
		before []byte
		added  []kafkawire.Header
		want   [][2]string
	}{
		"none":         {},
		"none encoded": {before: []byte{0}},
		"kept":         {before: one, want: [][2]string{{"a", "1"}, {"n", "<null>"}}},
		"added": {
			before: one,
			added:  []kafkawire.Header{{Key: "b", Value: []byte{}}},
			want:   [][2]string{{"a", "1"}, {"n", "<null>"}, {"b", ""}},
		},
		"same key again": {
			before: one,
			added:  []kafkawire.Header{{Key: "a", Value: []byte("2")}},
			want:   [][2]string{{"a", "1"}, {"n", "<null>"}, {"a", "2"}},
		},
		"damaged": {
			before: one[:3],
			added:  []kafkawire.Header{{Key: "b"}},
			want:   [][2]string{{"ebb.headers.damaged", string(one[:3])}, {"b", "<null>"}},
		},
		"bytes left over": {
			before: append(slices.Clip(one), 7),
			want:   [][2]string{{"ebb.headers.damaged", string(one) + "\a"}},
		},
		"negative count":    {before: []byte{1}, want: [][2]string{{"ebb.headers.damaged", "\x01"}}},
		"count of millions": {before: []byte{0x80, 0x89, 0x7a}, want: [][2]string{{"ebb.headers.damaged", "\x80\x89\x7a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := kafkawire.AppendHeaders([]byte("before"), c.before, c.added...)
			if string(got[:6]) != "before" || !kafkawire.ValidHeaders(got[6:]) {
				t.Fatalf("not headers: %x", got)
			}
			if diff := cmp.Diff(c.want, list(got[6:])); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeadersEndEarly(t *testing.T) {
	b := kafkawire.AppendHeaders(nil, nil, kafkawire.Header{Key: "a", Value: []byte("1")}, kafkawire.Header{Key: "b"})
	for key := range kafkawire.Headers(b) {
		if string(key) != "a" {
			t.Errorf("went on to %q", key)
		}
		break
	}
}
