package main

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// poisonKind makes the n-th record that cannot be used for one reason.
type poisonKind struct {
	code  string
	value func(n int) []byte
}

// largestRecord is input.max_record_bytes of these runs, the least possible, since a fifth of the input exceeds it.
const largestRecord = 1 << 10

// poisonKinds is a kind for every code, in the order in which they take turns.
func poisonKinds() []poisonKind {
	text := func(format string) func(int) []byte {
		return func(n int) []byte { return fmt.Appendf(nil, format, n) }
	}
	flat := func(member string) func(int) []byte {
		return text(
			`{"id":"poison-%d","customer":"c-1","type":"Product Viewed","time":"2026-01-02T03:04:05Z",` + member + `}`,
		)
	}
	order := func(member string) func(int) []byte { // of which the pack takes money
		return text(
			`{"id":"poison-%d","customer":"c-1","type":"Order Completed","time":"2026-01-02T03:04:05Z",` + member + `}`,
		)
	}
	const at = `"time":"2026-01-02T03:04:05Z"`
	return []poisonKind{
		{"not_json", text(`{"id":"poison-%d","customer":"c-1"`)},
		{"nested_too_deep", flat(`"properties":` + strings.Repeat("[", 70) + strings.Repeat("]", 70))},
		{"customer_missing", text(`{"id":"poison-%d","type":"Product Viewed",` + at + `}`)},
		{
			"customer_too_long",
			text(`{"id":"poison-%d","customer":"` + strings.Repeat("c", 257) + `","type":"Product Viewed",` + at + `}`),
		},
		{"customer_unreadable", text(`{"id":"poison-%d","customer":["c-1"],"type":"Product Viewed",` + at + `}`)},
		{"type_missing", text(`{"id":"poison-%d","customer":"c-1",` + at + `}`)},
		{"type_unreadable", text(`{"id":"poison-%d","customer":"c-1","type":7,` + at + `}`)},
		{"time_missing", text(`{"id":"poison-%d","customer":"c-1","type":"Product Viewed"}`)},
		{"time_unreadable", text(`{"id":"poison-%d","customer":"c-1","type":"Product Viewed","time":"yesterday"}`)},
		{
			"time_out_of_range",
			text(`{"id":"poison-%d","customer":"c-1","type":"Product Viewed","time":"1869-01-02T03:04:05Z"}`),
		},
		{"value_unreadable", order(`"value":"a lot","currency":"EUR"`)},
		{"currency_unreadable", order(`"value":"1.20","currency":"euro"`)},
		{"id_unreadable", text(`{"id":{"poison":%d},"customer":"c-1","type":"Product Viewed",` + at + `}`)},
		{"tenant_unreadable", flat(`"tenant":["shop"]`)},
		{"record_too_large", flat(`"properties":"` + strings.Repeat("x", largestRecord) + `"`)},
		{"record_empty", func(int) []byte { return nil }},
		{"registry_framed", text("\x00\x00\x00\x00\x07poison %d")},
	}
}

// poisoned is the n-th poisoned record. It replaces a usable one, with that one's key, timestamp and partition, and
// with headers that have to be preserved.
func poisoned(kind *poisonKind, n int, in *kgo.Record) *kgo.Record {
	return &kgo.Record{
		Key:       in.Key,
		Value:     kind.value(n),
		Timestamp: in.Timestamp,
		Partition: in.Partition,
		Headers: []kgo.RecordHeader{
			{Key: "poison", Value: fmt.Append(nil, n)},
			{Key: "null"},
			{Key: "bytes", Value: []byte{0, 0xff}},
		},
	}
}
