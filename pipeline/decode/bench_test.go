package decode_test

import (
	"strings"
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// benchRecord has the shape and size (211 bytes) of the records of the line's benchmark.
const benchRecord = `{"id":"e-000123456","customer":"c-00012345","type":"Product Viewed","time":"2026-03-14T09:26:53.589Z",` +
	`"value":"149.90","currency":"EUR","tenant":"shop","properties":{"sku":"A-00042","quantity":3,"channel":"web"}}`

// The same event in the other envelopes: Segment's with the context that its browser library adds, CloudEvents in
// structured mode, the data of one in binary mode, and JSON of a shop's own, which a mapping reads.
const (
	benchSegment = `{"timestamp":"2026-03-14T09:26:53.589Z","integrations":{},"userId":"c-00012345","anonymousId":"3a12eab0-bca7-11e4-8dfc-aa07a5b093db","event":"Product Viewed","type":"track",` +
		`"properties":{"sku":"A-00042","quantity":3,"channel":"web","value":149.9,"currency":"EUR"},` +
		`"context":{"groupId":"shop","page":{"path":"/lamps","referrer":"","search":"","title":"Lamps","url":"https://shop.example/lamps"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0","locale":"de-DE","library":{"name":"analytics.js","version":"next-1.70.0"},"timezone":"Europe/Berlin"},` +
		`"messageId":"ajs-next-1773480413589-0f4e9c1d","writeKey":"k","sentAt":"2026-03-14T09:26:53.601Z","_metadata":{"bundled":["Segment.io"],"unbundled":[]}}`
	benchStructured = `{"specversion":"1.0","id":"e-000123456","source":"https://shop.example/web","type":"Product Viewed","subject":"c-00012345","time":"2026-03-14T09:26:53.589Z","tenant":"shop","datacontenttype":"application/json","data":` + benchData + `}`
	benchOwn        = `{"event":{"id":"e-000123456","name":"Product Viewed"},"user":{"name":"Ann","id":"c-00012345"},"ts":"2026-03-14T09:26:53.589Z","shop/name":"shop","currency":"EUR","items":[{"price":149.9,"sku":"A-00042","quantity":3}],"channel":"web"}`
	benchData       = `{"value":"149.90","currency":"EUR","sku":"A-00042","quantity":3,"channel":"web"}`
)

func BenchmarkDecode(b *testing.B) {
	long := strings.Repeat(
		`{"sku":"A-00042","name":"A lamp for the desk, brass","price":12.5,"tags":["a","b"],"new":true},`,
		40,
	)
	for name, value := range map[string]string{
		"typical":    benchRecord,
		"escaped":    strings.Replace(benchRecord, "c-00012345", `c-\u0030\u00312345`, 1),
		"epoch":      strings.Replace(benchRecord, `"2026-03-14T09:26:53.589Z"`, "1773480413589", 1),
		"cyrillic":   strings.Replace(benchRecord, "Product Viewed", "Просмотрен товар", 1),
		"spaced":     strings.NewReplacer(`,"`, ",\n  \"", `":`, `": `).Replace(benchRecord),
		"4KiB":       strings.Replace(benchRecord, `"quantity":3`, `"items":[`+long+`null]`, 1),
		"quarantine": strings.Replace(benchRecord, `"customer"`, `"user"`, 1),
		"segment":    benchSegment,
		"structured": benchStructured,
	} {
		b.Run(name, func(b *testing.B) { benchDecode(b, decode.New(1<<20), pipeline.Record{Value: []byte(value)}) })
	}
	all := shopSpec()
	all.All = true
	for name, spec := range map[string]*decode.MappingSpec{"mapping": shopSpec(), "mapping-all": all} {
		b.Run(name, func(b *testing.B) { benchDecode(b, mapped(b, spec), pipeline.Record{Value: []byte(benchOwn)}) })
	}
	b.Run("typical-beside-mapping", func(b *testing.B) {
		benchDecode(b, mapped(b, shopSpec()), pipeline.Record{Value: []byte(benchRecord)})
	})
	b.Run("binary", func(b *testing.B) {
		benchDecode(b, decode.New(1<<20), pipeline.Record{Value: []byte(benchData), Headers: encodeHeaders(
			"ce_specversion",
			"1.0",
			"ce_id",
			"e-000123456",
			"ce_source",
			"https://shop.example/web",
			"ce_type",
			"Product Viewed",
			"ce_subject",
			"c-00012345",
			"ce_time",
			"2026-03-14T09:26:53.589Z",
			"ce_tenant",
			"shop",
			"content-type",
			"application/json",
		)})
	})
}

func benchDecode(b *testing.B, d *decode.Decoder, r pipeline.Record) {
	b.Helper()
	e, n := pipeline.Event{}, 0
	b.ReportAllocs()
	b.SetBytes(int64(len(r.Value) + len(r.Headers)))
	for b.Loop() {
		if n++; n%10_000 == 0 {
			d.Reset()
		}
		d.Decode(&r, &e)
	}
}
