package redisstore

import (
	"bytes"
	"testing"
)

func FuzzReplies(f *testing.F) {
	for _, s := range []string{
		"*2\r\n$1\r\na\r\n$-1\r\n",
		"$0\r\n\r\n",
		"-ERR no\r\n",
		"*-1\r\n",
		"$9\r\na\r\n",
		"$1\r\nab\r",
		":1\r\n",
		"\n",
		"$1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := replies{b: b}
		for range 100 {
			before := len(r.b)
			n, err := r.array()
			if err == nil && n < 0 {
				t.Fatalf("array of %d", n)
			}
			v, err := r.bulk()
			if len(r.b) > before || (err != nil && v != nil) {
				t.Fatalf("%d bytes left of %d, %q, %v", len(r.b), before, v, err)
			}
			if err == nil && v != nil && !bytes.Contains(b, v) {
				t.Fatalf("%q is not in %q", v, b)
			}
		}
	})
}

func TestReplies(t *testing.T) {
	r := replies{b: []byte("*3\r\n$3\r\na\r\n\r\n$0\r\n\r\n$-1\r\n-OOM full\r\n$2\r\nab")}
	if n, err := r.array(); n != 3 || err != nil {
		t.Fatalf("got %d, %v", n, err)
	}
	for i, want := range []string{"a\r\n", ""} {
		if v, err := r.bulk(); string(v) != want || v == nil || err != nil {
			t.Fatalf("value %d: got %q, %v", i, v, err)
		}
	}
	if v, err := r.bulk(); v != nil || err != nil {
		t.Fatalf("got %q, %v, want nil", v, err)
	}
	if _, err := r.bulk(); err == nil || err.Error() != "OOM full" {
		t.Fatalf("got %v, want the server's error", err)
	}
	if v, err := r.bulk(); err == nil {
		t.Fatalf("read %q out of half a value", v)
	}
}
