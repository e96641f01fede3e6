package decode_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// drawSpec draws a mapping whose paths use the same few names, so that they share places and shadow one another.
func drawSpec(t *rapid.T) *decode.MappingSpec {
	paths := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"/a",
		"/a/b",
		"/a/b/0",
		"/a/0",
		"/a/1/b",
		"/0",
		"/b",
		"/b/a",
		"/b/a/a",
		"/",
		"/a~1b",
		"/m~0n",
		"/customer",
		"/userId",
		"/data/customer",
		"/x/x/x",
	}), 0, 3, rapid.ID)
	part := func(name string, defaults ...string) decode.PartSpec {
		return decode.PartSpec{
			Paths:   paths.Draw(t, name),
			Default: rapid.SampledFrom(append(defaults, "")).Draw(t, name+" default"),
		}
	}
	s := &decode.MappingSpec{
		All: rapid.Bool().Draw(t, "all"),
		Customer: part(
			"customer",
			"somebody",
		),
		Type:     part("type", "visit"),
		Time:     part("time", decode.RecordTime),
		Value:    part("value", "5", "-7.0"),
		Currency: part("currency", "jpy"),
		ID:       part("id"),
		Tenant:   part("tenant", "de"),
		TimeAs: rapid.SampledFrom(decode.TimeForms()).
			Draw(t, "time as"),
		TimeZone: rapid.SampledFrom([]string{"", "UTC", "Europe/Paris", "+05:30"}).Draw(t, "zone"),
		ValueAs:  rapid.SampledFrom(decode.ValueForms()).Draw(t, "value as"),
	}
	if s.TimeAs != "auto" && s.TimeAs != "rfc3339" {
		s.TimeZone = ""
	}
	if len(s.Customer.Paths) == 0 {
		s.Customer.Paths = []string{"/a/b"}
	}
	if len(s.Type.Paths) == 0 {
		s.Type.Default = "visit"
	}
	if len(s.Time.Paths) == 0 {
		s.Time.Default = decode.RecordTime
	}
	return s
}

// drawTree draws JSON with the names of drawSpec's paths.
func drawTree(t *rapid.T, depth int) string {
	switch kind := rapid.IntRange(0, 5).Draw(t, "kind"); {
	case depth > 0 && kind <= 1:
		return drawObject(
			t,
			"object",
			[]string{"a", "b", "0", "x", "", "a/b", "m~n", `\u0061`, `\ud800`, "customer"},
			4,
			func(t *rapid.T, _ string) string { return drawTree(t, depth-1) },
		)
	case depth > 0 && kind == 2:
		items := make([]string, rapid.IntRange(0, 3).Draw(t, "items"))
		for i := range items {
			items[i] = drawTree(t, depth-1)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case kind == 3:
		return drawTimes().Draw(t, "time")
	case kind == 4:
		return rapid.SampledFrom([]string{
			"1772359200",
			"1772359200000",
			"1772359200000000",
			"1772359200000000000",
			"9999999999999999999",
			"18446744073709551617",
			"18446745846068752",
			"7289654400",
			"-1",
			"1772359200.9999",
		}).
			Draw(t, "epoch")
	}
	return drawValues().Draw(t, "value")
}

// TestMappingAgrees draws mappings, and records that they read or that the envelopes claim.
func TestMappingAgrees(t *testing.T) {
	usable := map[pipeline.Envelope]int{}
	envelopes := []pipeline.Envelope{pipeline.Flat, pipeline.Segment, pipeline.CloudEvent, pipeline.Mapped}
	checkUntil(t, func() bool { return allSeen(usable, envelopes) }, func(rt *rapid.T) {
		spec := drawSpec(rt)
		m, err := decode.NewMapping(spec)
		if err != nil {
			return // drawn in such a way that flat JSON claims everything
		}
		d := decode.NewMapped(testRecordBytes, m)
		for range 8 {
			names := []string{
				"a",
				"a",
				"b",
				"b",
				"0",
				"x",
				"",
				"a/b",
				"m~n",
				"customer",
				"type",
				"time",
				"userId",
				"timestamp",
				"specversion",
				"subject",
				"data",
				"event",
			}
			value := drawObject(rt, "members", names, 8, func(t *rapid.T, name string) string {
				if len(name) > 4 || name == "type" || name == "time" {
					return drawMember(t, name)
				}
				return drawTree(t, 3)
			})
			base := rapid.SampledFrom([]string{"{}", "{}", flatJSON(), trackJSON(), cloudJSON()}).Draw(rt, "base")
			r := pipeline.Record{Timestamp: drawStamp().Draw(rt, "stamp"), Value: []byte(joinObjects(base, value))}
			if rapid.IntRange(0, 9).Draw(rt, "binary") == 0 {
				r.Headers = encodeHeaders("ce_specversion", "1.0", "ce_type", "shop.order", "ce_subject", "c-1")
			}
			if rapid.IntRange(0, 19).Draw(rt, "damage") == 0 {
				r.Value[rapid.IntRange(0, len(r.Value)-1).Draw(rt, "at")] = rapid.Byte().Draw(rt, "byte")
			}
			d.Reset()
			if e := decodeBothMapped(t, d, &r, spec); e.Code == pipeline.Usable {
				usable[e.Envelope]++
			}
		}
	})
	if !allSeen(usable, envelopes) {
		t.Errorf("no usable record of some envelope: %v", usable)
	}
}

// FuzzMapping compares decoder and oracle on any record and any path.
func FuzzMapping(f *testing.F) {
	for _, c := range mappedCases() {
		if len(c.record.Value) < 2000 {
			f.Add(c.record.Value, "/user/id", c.record.Timestamp, false)
		}
	}
	f.Add([]byte(`{"a/b":[{"":{"m~n":"c-1"}}]}`), "/a~1b/0//m~0n", int64(envelopeStamp), true)
	f.Add([]byte(shopJSON("items", `[{"price":1},{"price":2}]`)), "/items/1/price", int64(0), true)
	f.Add([]byte(flatJSON()), "/customer", int64(envelopeStamp), false)
	f.Fuzz(func(t *testing.T, value []byte, path string, stamp int64, all bool) {
		if strings.ContainsRune(path, '\uFFFD') {
			return // encoding/json decodes half a surrogate pair to this
		}
		spec := shopSpec()
		spec.All = all
		spec.Customer.Paths = append([]string{path}, spec.Customer.Paths...)
		spec.Value.Paths = append(spec.Value.Paths, path)
		m, err := decode.NewMapping(spec)
		if err != nil {
			return
		}
		decodeBothMapped(
			t,
			decode.NewMapped(testRecordBytes, m),
			&pipeline.Record{Offset: 1, Timestamp: stamp, Value: value},
			spec,
		)
	})
}
