package pipeline_test

import (
	"strings"
	"testing"

	"ebb/pipeline"
)

// benchRecord has the shape and size (211 bytes) of the records of the line's benchmark.
const benchRecord = `{"id":"e-000123456","customer":"c-00012345","type":"Product Viewed","time":"2026-03-14T09:26:53.589Z",` +
	`"value":"149.90","currency":"EUR","tenant":"shop","properties":{"sku":"A-00042","quantity":3,"channel":"web"}}`

func BenchmarkDecode(b *testing.B) {
	long := strings.Repeat(`{"sku":"A-00042","name":"A lamp for the desk, brass","price":12.5,"tags":["a","b"],"new":true},`, 40)
	for name, value := range map[string]string{
		"typical":    benchRecord,
		"escaped":    strings.Replace(benchRecord, "c-00012345", `c-\u0030\u00312345`, 1),
		"epoch":      strings.Replace(benchRecord, `"2026-03-14T09:26:53.589Z"`, "1773480413589", 1),
		"cyrillic":   strings.Replace(benchRecord, "Product Viewed", "Просмотрен товар", 1),
		"spaced":     strings.NewReplacer(`,"`, ",\n  \"", `":`, `": `).Replace(benchRecord),
		"4KiB":       strings.Replace(benchRecord, `"quantity":3`, `"items":[`+long+`null]`, 1),
		"quarantine": strings.Replace(benchRecord, `"customer"`, `"user"`, 1),
	} {
		b.Run(name, func(b *testing.B) {
			d, r, e, n := pipeline.NewDecoder(1<<20), pipeline.Record{Value: []byte(value)}, pipeline.Event{}, 0
			b.ReportAllocs()
			b.SetBytes(int64(len(value)))
			for b.Loop() {
				if n++; n%10_000 == 0 {
					d.Reset()
				}
				d.Decode(&r, &e)
			}
		})
	}
}
