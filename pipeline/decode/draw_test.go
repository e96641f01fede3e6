package decode_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// encodeHeaders encodes pairs of key and value as in Record.Headers. A value "<null>" is null.
func encodeHeaders(pairs ...string) []byte {
	b := binary.AppendVarint(nil, int64(len(pairs)/2))
	for i, text := range pairs {
		if i%2 == 1 && text == "<null>" {
			b = binary.AppendVarint(b, -1)
			continue
		}
		b = append(binary.AppendVarint(b, int64(len(text))), text...)
	}
	return b
}

// Parts of drawn records: every name that an envelope reads, names near them, and values near the limits of what is
// allowed, which random bytes seldom reach.
func drawValues() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"null",
			"true",
			"{}",
			"[]",
			`""`,
			`"x"`,
			`"EUR"`,
			`"jpy"`,
			`"KWD"`,
			"0",
			"-0",
			"-1",
			"1e2",
			"5e-3",
			"-4.9999E-03",
			"9.2233720368547758075e+16",
			"1e99",
			"1700000000",
			"1700000000000",
			`"1.0"`,
			"19.989999999999998",
			"0.005",
			"-0.005",
			"0.00499999",
			"92233720368547758.074999",
			"92233720368547758.075",
			"9223372036854775807.5",
			`"c-1"`,
			`"\u0063-1"`,
			`"\ud83d"`,
			"42",
			"-5",
			"99999999999999999999",
			`{"a":[1,{"b":"c"}]}`,
		}),
		rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,18})?`),
		rapid.StringMatching(`"(x|é|\\n|\\u00e9|\\ud83d\\ude00){1,90}"`),
	)
}

func drawTimes() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"null",
			`""`,
			`"soon"`,
			"0",
			"1",
			"-1",
			"99999999999999999999",
			`"1970-01-01T00:00:05Z"`,
			`"1969-12-31T23:59:59Z"`,
			`"2200-12-31T23:59:59Z"`,
			`"2201-01-01T00:00:00Z"`,
			`"9999-01-01T00:00:00Z"`,
			`"2026-03-01T10:00:00Z"`,
			`"2026-03-01T10:00:05.25Z"`,
			`"2026-03-02T10:00:00Z"`,
			`"2026-03-02T10:00:00.001Z"`,
			`"2026-02-28T10:00:00Z"`,
			`"2026-02-28T09:59:59.999Z"`,
			"1772359200",
			"1772359200000",
			"1.7723592E9",
			"1.7723592005e+12",
		}),
		rapid.StringMatching(
			`"2026-0[23]-[0-2][1-8][T ][01][0-9]:[0-5][0-9](:[0-6][0-9]([.,][0-9]{1,9})?)?( ?([+-]0[0-9](:?[0-5]0)?|UTC|z)( CET|\[A/B\])?)?"`,
		),
		rapid.StringMatching(`"2026-0[23]-[0-2][1-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,4})?(Z|\+0[0-9]:30)"`),
	)
}

func drawStamp() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Just[int64](envelopeStamp), rapid.SampledFrom([]int64{
		-1 << 63,
		-1,
		0,
		1,
		1_772_359_200_000,
		1_772_359_205_250,
		1_772_445_600_000,
		7_289_654_399_999,
		7_289_654_400_000,
		1<<63 - 1,
	}), rapid.Int64Range(1_772_000_000_000, 1_772_700_000_000), rapid.Int64())
}

// drawObject builds an object of members under names, which may repeat.
func drawObject(t *rapid.T, label string, names []string, most int, value func(t *rapid.T, name string) string) string {
	var members []string
	for range rapid.IntRange(0, most).Draw(t, label) {
		name := rapid.SampledFrom(names).Draw(t, "name")
		members = append(members, fmt.Sprintf(`"%s":%s`, name, value(t, name)))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// joinObjects is one object of the members of both, those of b last.
func joinObjects(a, b string) string {
	a, b = strings.TrimSuffix(a, "}"), strings.TrimPrefix(b, "{")
	if a == "{" || b == "}" {
		return a + b
	}
	return a + "," + b
}

func isTimeName(name string) bool {
	return name == "time" || name == "sentAt" || name == "receivedAt" || strings.HasSuffix(name, "imestamp")
}

// drawMember draws a value that fits the name, or any.
func drawMember(t *rapid.T, name string) string {
	if rapid.IntRange(0, 9).Draw(t, "any") == 0 {
		return drawValues().Draw(t, "value")
	}
	inner := func(t *rapid.T, _ string) string { return drawValues().Draw(t, "value") }
	switch {
	case isTimeName(name):
		return drawTimes().Draw(t, "time")
	case name == "type":
		return rapid.SampledFrom([]string{
			`"track"`,
			`"page"`,
			`"screen"`,
			`"identify"`,
			`"group"`,
			`"alias"`,
			`"delete"`,
			`"erase"`,
			`"tr\u0061ck"`,
			`"Track"`,
			`"shop.order"`,
		}).
			Draw(t, "type")
	case name == "properties" || name == "context" || name == "data":
		return drawObject(
			t,
			name,
			[]string{"revenue", "total", "value", "currency", "groupId", "customer", "tenant", "x", `\u0076alue`, "id"},
			5,
			inner,
		)
	case name == "datacontentencoding":
		return rapid.SampledFrom([]string{`"base64"`, `"BASE\u0036\u0034"`, `"gzip"`, `""`, "64"}).Draw(t, name)
	case name == "userId" || name == "customer" || name == "event" || name == "subject":
		return rapid.SampledFrom([]string{`"c-1"`, `"c\u002d2"`, "42", "null", `""`}).Draw(t, name)
	}
	return drawValues().Draw(t, "value")
}

// TestDecodeAgreesOnEnvelopes draws records of all envelopes and of mixtures of them, in the right content mode and in
// wrong ones, whole and damaged.
func TestDecodeAgreesOnEnvelopes(t *testing.T) {
	names := map[string][]string{
		"flat": {"customer", "type", "time", "value", "currency", "id", "tenant", "properties"},
		"segment": {
			"type",
			"type",
			"event",
			"userId",
			"userId",
			"anonymousId",
			"messageId",
			"timestamp",
			"timestamp",
			"originalTimestamp",
			"sentAt",
			"receivedAt",
			"properties",
			"context",
		},
		"cloud": {
			"specversion",
			"specversion",
			"type",
			"type",
			"id",
			"source",
			"subject",
			"subject",
			"partitionkey",
			"time",
			"tenant",
			"customer",
			"data",
			"data",
			"datacontenttype",
			"datacontentencoding",
			"data_base64",
		},
		"data": {"customer", "tenant", "value", "currency", "x"},
		"everything": {
			"specversion",
			"customer",
			"type",
			"time",
			"userId",
			"timestamp",
			"event",
			"subject",
			"data",
			"properties",
			`user\u0049d`,
			"Timestamp",
			"sentat",
			"originalTimestamps",
			`\ud800`,
		},
	}
	headers := []string{
		"ce_specversion",
		"ce_type",
		"ce_id",
		"ce_source",
		"ce_subject",
		"ce_partitionkey",
		"ce_time",
		"ce_tenant",
		"ce_customer",
		"ce_datacontenttype",
		"content-type",
		"ce_",
		"ebb-erase",
		"CE_TYPE",
		"x",
	}
	texts := rapid.OneOf(
		rapid.SampledFrom([]string{
			"",
			"<null>",
			"1.0",
			"c-1",
			"\xff",
			"application/json",
			"text/xml",
			"Application/CloudEvents+JSON; charset=UTF-8",
			"application/cloudevents",
			"application/vnd.shop+JSON ;v=1",
			"text/json",
			"json",
			"/json",
			"application/cloudevent",
			"2026-03-01T10:00:00Z",
			"1772359200",
			strings.Repeat("x", 257),
			strings.Repeat("y", 1025),
			"\\u0063",
			`"q"`,
		}),
		rapid.String(),
	)
	d := decode.New(testRecordBytes)
	bases := map[string]string{
		"flat":       flatJSON(),
		"segment":    trackJSON(),
		"cloud":      cloudJSON(),
		"data":       "{}",
		"everything": "{}",
	}
	usable, kinds := map[string]int{}, []string{"flat", "segment", "cloud", "data"}
	checkUntil(t, func() bool { return allSeen(usable, kinds) }, func(rt *rapid.T) {
		kind := rapid.SampledFrom([]string{"flat", "segment", "segment", "cloud", "data", "everything"}).Draw(rt, "kind")
		r := pipeline.Record{Timestamp: drawStamp().Draw(rt, "stamp"), AppendTime: rapid.Bool().Draw(rt, "append")}
		value := drawObject(rt, "members", names[kind], 6, drawMember)
		if rapid.IntRange(0, 3).Draw(rt, "whole") > 0 {
			value = joinObjects(bases[kind], value)
		}
		r.Value = []byte(value)
		if kind == "data" || rapid.IntRange(0, 5).Draw(rt, "with headers") == 0 {
			var pairs []string
			if kind == "data" {
				pairs = []string{"ce_specversion", "1.0", "ce_type", "shop.order", "ce_subject", "c-1"}
			}
			for range rapid.IntRange(0, 6).Draw(rt, "headers") {
				pairs = append(pairs, rapid.SampledFrom(headers).Draw(rt, "key"), texts.Draw(rt, "text"))
			}
			r.Headers = encodeHeaders(pairs...)
		}
		for _, b := range [][]byte{r.Value, r.Headers} {
			if len(b) > 0 && rapid.IntRange(0, 29).Draw(rt, "damage") == 0 {
				b[rapid.IntRange(0, len(b)-1).Draw(rt, "at")] = rapid.Byte().Draw(rt, "byte")
			}
		}
		d.Reset()
		if decodeBoth(t, d, &r).Code == pipeline.Usable {
			usable[kind]++
		}
	})
	if !allSeen(usable, kinds) {
		t.Errorf("no usable record of some kind: %v", usable)
	}
}

// checkUntil repeats the property until enough was drawn: a hundred draws may miss rare cases.
func checkUntil(t *testing.T, enough func() bool, property func(*rapid.T)) {
	t.Helper()
	for range 20 {
		if rapid.Check(t, property); enough() {
			return
		}
	}
}

func allSeen[K comparable](seen map[K]int, kinds []K) bool {
	return !slices.ContainsFunc(kinds, func(k K) bool { return seen[k] == 0 })
}

// FuzzDecodeRecord compares decoder and oracle on any value with any headers and timestamp.
func FuzzDecodeRecord(f *testing.F) {
	for _, c := range envelopeCases() {
		if len(c.record.Value)+len(c.record.Headers) < 4000 {
			f.Add(c.record.Headers, c.record.Value, c.record.Timestamp)
		}
	}
	d := decode.New(testRecordBytes)
	f.Fuzz(func(t *testing.T, headers, value []byte, stamp int64) {
		d.Reset()
		decodeBoth(t, d, &pipeline.Record{Offset: 1, Timestamp: stamp, Headers: headers, Value: value})
	})
}
