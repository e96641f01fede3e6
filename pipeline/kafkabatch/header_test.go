package kafkabatch_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline/kafkabatch"
)

// list is the headers in b as pairs; a null value shows as "<null>".
func list(b []byte) (out [][2]string) {
	for key, value := range kafkabatch.Headers(b) {
		v := string(value)
		if value == nil {
			v = "<null>"
		}
		out = append(out, [2]string{string(key), v})
	}
	return out
}

func TestAppendHeaders(t *testing.T) {
	one := kafkabatch.AppendHeaders(nil, nil, kafkabatch.Header{Key: "a", Value: []byte("1")}, kafkabatch.Header{Key: "n"})
	for name, c := range map[string]struct {
		before []byte
		added  []kafkabatch.Header
		want   [][2]string
	}{
		"none":         {},
		"none encoded": {before: []byte{0}},
		"kept":         {before: one, want: [][2]string{{"a", "1"}, {"n", "<null>"}}},
		"added": {
			before: one,
			added:  []kafkabatch.Header{{Key: "b", Value: []byte{}}},
			want:   [][2]string{{"a", "1"}, {"n", "<null>"}, {"b", ""}},
		},
		"same key again": {
			before: one,
			added:  []kafkabatch.Header{{Key: "a", Value: []byte("2")}},
			want:   [][2]string{{"a", "1"}, {"n", "<null>"}, {"a", "2"}},
		},
		"damaged": {
			before: one[:3],
			added:  []kafkabatch.Header{{Key: "b"}},
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
			got := kafkabatch.AppendHeaders([]byte("before"), c.before, c.added...)
			if string(got[:6]) != "before" || !kafkabatch.ValidHeaders(got[6:]) {
				t.Fatalf("not headers: %x", got)
			}
			if diff := cmp.Diff(c.want, list(got[6:])); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeadersEndEarly(t *testing.T) {
	b := kafkabatch.AppendHeaders(nil, nil, kafkabatch.Header{Key: "a", Value: []byte("1")}, kafkabatch.Header{Key: "b"})
	for key := range kafkabatch.Headers(b) {
		if string(key) != "a" {
			t.Errorf("went on to %q", key)
		}
		break
	}
}
