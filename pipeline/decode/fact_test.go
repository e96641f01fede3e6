package decode_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring/pack"
)

// carryingPack has facts of two signals, and a signal of which it carries nothing.
func carryingPack(t testing.TB) *pack.Pack {
	t.Helper()
	const text = "name: trial\nversion: 1\nhorizon: 20d\nactivity: [view, order, rated]\n" +
		"signals: {seen: {types: [view]}, ordered: {types: [order]}, low: {types: [rated], where: [{property: rating, at_most: 2}]}}\n" +
		"carry: {item: {of: seen, property: product.name}, number: {of: ordered, property: number}}\n"
	k, err := pack.Load("trial.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestTexts: an event has the texts of the pack's facts as they were sent, in every envelope, and none where the pack
// carries nothing of its type.
func TestTexts(t *testing.T) {
	d := decode.New(0).Reading(carryingPack(t))
	long := fmt.Sprintf("%01025d", 0)
	for name, c := range map[string]struct {
		kind, properties string
		want             []string
	}{
		"both":               {"view", `{"number":"A-1","product":{"name":"a lamp"}}`, []string{"a lamp", "A-1"}},
		"escapes":            {"view", `{"product":{"name":"a \u00fctable\n"}}`, []string{"a ütable\n", ""}},
		"a number":           {"order", `{"number":10023}`, []string{"", "10023"}},
		"a fraction":         {"order", `{"number":1.5}`, []string{"", ""}},
		"true":               {"order", `{"number":true}`, []string{"", ""}},
		"an object":          {"order", `{"number":{"a":1}}`, []string{"", ""}},
		"half a character":   {"order", `{"number":"\ud83d"}`, []string{"", ""}},
		"null":               {"order", `{"number":null}`, []string{"", ""}},
		"too long":           {"order", `{"number":"` + long + `"}`, []string{"", ""}},
		"nothing":            {"order", `{}`, []string{"", ""}},
		"of another type":    {"rated", `{"rating":1,"number":"A-1"}`, nil},
		"of an unknown type": {"other", `{"number":"A-1"}`, nil},
	} {
		for envelope, record := range map[string]string{
			"flat":    fmt.Sprintf(`{"customer":"c","type":%q,"time":1700000000,"properties":%s}`, c.kind, c.properties),
			"segment": fmt.Sprintf(`{"type":"track","userId":"c","event":%q,"timestamp":"2026-03-01T10:00:00Z","properties":%s}`, c.kind, c.properties),
			"cloud event": fmt.Sprintf(
				`{"specversion":"1.0","id":"1","source":"s","subject":"c","type":%q,"time":"2026-03-01T10:00:00Z","data":%s}`,
				c.kind, c.properties,
			),
		} {
			d.Reset()
			var e pipeline.Event
			d.Decode(&pipeline.Record{Value: []byte(record)}, &e)
			if e.Code != pipeline.Usable {
				t.Fatalf("%s, %s: %v", name, envelope, e.Code)
			}
			var got []string
			for _, text := range e.Texts {
				got = append(got, string(text))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s, %s:%s", name, envelope, diff)
			}
		}
	}
}

// TestTextsAllocateNothing, with escapes too, once the decoder has grown to a batch.
func TestTextsAllocateNothing(t *testing.T) {
	d := decode.New(0).Reading(carryingPack(t))
	r := pipeline.Record{
		Value: []byte(`{"customer":"c","type":"view","time":1700000000,"properties":{"product":{"name":"a \u00fctable"}}}`),
	}
	var e pipeline.Event
	if n := testing.AllocsPerRun(200, func() {
		d.Reset()
		for range 10 {
			d.Decode(&r, &e)
		}
	}); n != 0 || string(e.Texts[0]) != "a ütable" {
		t.Errorf("%v allocations, %q", n, e.Texts)
	}
}
