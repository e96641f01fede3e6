package decode_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

const testRecordBytes = 1 << 20

// decodeBoth decodes one record and compares the result with the oracle's.
func decodeBoth(t *testing.T, d *decode.Decoder, r *pipeline.Record) plainEvent {
	t.Helper()
	return decodeBothMapped(t, d, r, nil)
}

// decodeBothMapped is decodeBoth for a decoder with a mapping.
func decodeBothMapped(t *testing.T, d *decode.Decoder, r *pipeline.Record, spec *decode.MappingSpec) plainEvent {
	t.Helper()
	return decodeBothReading(t, d, r, spec, nil)
}

// decodeBothReading is decodeBothMapped for a decoder of a pack that takes money from some types.
func decodeBothReading(
	t *testing.T, d *decode.Decoder, r *pipeline.Record, spec *decode.MappingSpec, money func(string) bool,
) plainEvent {
	t.Helper()
	var e pipeline.Event
	d.Decode(r, &e)
	got, want := plainly(&e), decodePlainly(r, testRecordBytes, spec, money)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("decode %.300q with headers %.300q: oracle (-), decoder (+):\n%s", r.Value, r.Headers, diff)
	}
	return got
}

// flatJSON builds a record of usable members, apart from changes. A change is name, raw JSON value; an empty value
// removes the member.
func flatJSON(changes ...string) string {
	return changeJSON(
		[]string{"customer", `"c-1"`, "type", `"Order Completed"`, "time", `"2026-03-01T00:00:00Z"`},
		changes,
	)
}

// changeJSON builds an object of members, names and raw values in turn, with the changes.
func changeJSON(members, changes []string) string {
	for i := 0; i < len(changes); i += 2 {
		found := false
		for j := 0; j < len(members); j += 2 {
			if members[j] == changes[i] {
				members[j+1], found = changes[i+1], true
			}
		}
		if !found {
			members = append(members, changes[i], changes[i+1])
		}
	}
	var parts []string
	for i := 0; i < len(members); i += 2 {
		if members[i+1] != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", members[i], members[i+1]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func nestedArrays(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func longText(n int) string { return `"` + strings.Repeat("x", n) + `"` }

func TestDecodeEvent(t *testing.T) {
	const march = 1_772_323_200_000 // 2026-03-01T00:00:00Z
	usual := plainEvent{Key: "\x00c-1", Customer: "c-1", Type: "Order Completed", Time: march}
	for _, c := range []struct {
		name, value string
		want        func(e *plainEvent)
	}{
		{"least", flatJSON(), func(*plainEvent) {}},
		{"typical", benchRecord, func(e *plainEvent) {
			*e = plainEvent{
				Key: "\x04shopc-00012345", Tenant: "shop", Customer: "c-00012345", Type: "Product Viewed", ID: "e-000123456",
				Time: 1_773_480_413_589, Value: 14_990, HasValue: true, Currency: "EUR",
			}
		}},
		{
			"integers as text",
			flatJSON("customer", "-42", "id", "7"),
			func(e *plainEvent) { e.Key, e.Customer, e.ID = "\x00-42", "-42", "7" },
		},
		{"escapes", flatJSON("customer", `"a\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00z"`), func(e *plainEvent) {
			e.Customer = "a\"\\/\b\f\n\r\t\x00é😀z"
			e.Key = "\x00" + e.Customer
		}},
		{"escaped name", strings.Replace(flatJSON(), "customer", `\u0063ustome\u0072`, 1), func(*plainEvent) {}},
		{"last one wins", `{"customer":"x","customer":{},` + flatJSON()[1:], func(*plainEvent) {}},
		{"null wins too", flatJSON("id", `"e-1"`)[:len(flatJSON("id", `"e-1"`))-1] + `,"id":null}`, func(*plainEvent) {}},
		{
			"yen",
			flatJSON("value", "1200", "currency", `"jpy"`),
			func(e *plainEvent) { e.Value, e.HasValue, e.Currency = 1200, true, "JPY" },
		},
		{"value without currency", flatJSON("value", `"-0.10"`), func(e *plainEvent) { e.Value, e.HasValue = -10, true }},
		{"currency without value", flatJSON("currency", `"EUR"`), func(e *plainEvent) { e.Currency = "EUR" }},
		{"worth nothing", flatJSON("value", "0"), func(e *plainEvent) { e.HasValue = true }},
		{"offset", flatJSON("time", `"2026-03-01T05:30:00.9999+05:30"`), func(e *plainEvent) { e.Time += 999 }},
		{"seconds", flatJSON("time", "1772323200.5"), func(e *plainEvent) { e.Time += 500 }},
		{"milliseconds", flatJSON("time", `"1772323200001"`), func(e *plainEvent) { e.Time++ }},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := usual
			c.want(&want)
			got := decodeBoth(t, decode.New(testRecordBytes), &pipeline.Record{Value: []byte(c.value)})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

// TestDecodeLimit: key and headers count.
func TestDecodeLimit(t *testing.T) {
	r := pipeline.Record{Key: []byte("c-1"), Headers: []byte{0}, Value: []byte(flatJSON())}
	size := len(r.Key) + len(r.Headers) + len(r.Value)
	for limit, want := range map[int]pipeline.Code{
		size:     pipeline.Usable,
		size - 1: pipeline.RecordTooLarge,
		0:        pipeline.Usable,
	} {
		var e pipeline.Event
		if decode.New(limit).Decode(&r, &e); e.Code != want {
			t.Errorf("limit %d of a record of %d bytes: %v, want %v", limit, size, e.Code, want)
		}
	}
}

// TestDecodeBatch keeps every event of a large batch, most of them in scratch memory that grows meanwhile, and then
// decodes another batch into the same memory.
func TestDecodeBatch(t *testing.T) {
	d := decode.New(testRecordBytes)
	for batch := range 2 {
		d.Reset()
		events := make([]pipeline.Event, 20_000)
		for i := range events {
			r := pipeline.Record{
				Value: []byte(flatJSON("customer", fmt.Sprintf(`"\u0063-%d-%d"`, batch, i), "tenant", fmt.Sprintf(`"t\/%d"`, i%7))),
			}
			d.Decode(&r, &events[i])
		}
		for i := range events {
			customer, tenant := fmt.Sprintf("c-%d-%d", batch, i), fmt.Sprintf("t/%d", i%7)
			gotTenant, gotCustomer := pipeline.SplitKey(events[i].Key)
			got := [...]string{string(events[i].Customer), string(gotCustomer), string(events[i].Tenant), string(gotTenant)}
			if want := [...]string{customer, customer, tenant, tenant}; got != want {
				t.Fatalf("batch %d event %d: %q, want %q", batch, i, got, want)
			}
		}
	}
}

// TestDecodeHostile decodes ten megabytes of each kind of trouble without an allocation for them.
func TestDecodeHostile(t *testing.T) {
	const size = 10 << 20
	big := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for _, c := range []struct {
		name, value string
		want        pipeline.Code
	}{
		{"customer", flatJSON("customer", `"`+big("x")+`"`), pipeline.CustomerTooLong},
		{"customer in escapes", flatJSON("customer", `"`+big(`\u0041`)+`"`), pipeline.CustomerTooLong},
		{"customer in digits", flatJSON("customer", big("9")), pipeline.CustomerTooLong},
		{"type in surrogate pairs", flatJSON("type", `"`+big(`\ud83d\ude00`)+`"`), pipeline.TypeUnreadable},
		{"name", "{" + `"` + big("n") + `":1,` + flatJSON()[1:], pipeline.Usable},
		{"name in escapes", "{" + `"` + big(`\t`) + `":1,` + flatJSON()[1:], pipeline.Usable},
		{"time in digits", flatJSON("time", big("1")), pipeline.TimeUnreadable},
		{"value in digits", flatJSON("value", big("9")), pipeline.ValueUnreadable},
		{"value in zeros", flatJSON("value", "1."+big("0")), pipeline.ValueUnreadable},
		{"value in escaped zeros", flatJSON("value", `"1.`+big(`\u0030`)+`"`), pipeline.ValueUnreadable},
		{"arrays", flatJSON("properties", big("[")), pipeline.NestedTooDeep},
		{"objects", flatJSON("properties", big(`{"a":`)), pipeline.NestedTooDeep},
		{"flat array", flatJSON("properties", "["+big("0,")+"0]"), pipeline.Usable},
		{"repeated members", "{" + big(`"id":"x",`) + flatJSON()[1:], pipeline.Usable},
		{"white space", big(" ") + flatJSON() + big("\n"), pipeline.Usable},
		{"text", flatJSON("properties", `"`+big("жизнь")+`"`), pipeline.Usable},
		{"no end", `{"a":"` + big("x"), pipeline.NotJSON},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, r, e := decode.New(0), pipeline.Record{Value: []byte(c.value)}, pipeline.Event{}
			allocs := testing.AllocsPerRun(5, func() {
				d.Reset()
				d.Decode(&r, &e)
			})
			if e.Code != c.want || allocs != 0 {
				t.Errorf("%v with %v allocations, want %v with none", e.Code, allocs, c.want)
			}
		})
	}
}

// TestDecodeAllocations: no event allocates, whatever it is, once the scratch memory is there.
func TestDecodeAllocations(t *testing.T) {
	d, e := decode.New(testRecordBytes), pipeline.Event{}
	var records []pipeline.Record
	for _, c := range codeCases {
		records = append(records, pipeline.Record{Value: []byte(c.value)})
	}
	if allocs := testing.AllocsPerRun(100, func() {
		d.Reset()
		for range 10 {
			for i := range records {
				d.Decode(&records[i], &e)
			}
		}
	}); allocs != 0 {
		t.Errorf("%v allocations a batch, want none", allocs)
	}
}

// TestDecodeEveryByte puts every pair of bytes into a string, every byte after a backslash and into every place of an
// escape, at every distance from the eight bytes that are tested together.
func TestDecodeEveryByte(t *testing.T) {
	d := decode.New(testRecordBytes)
	try := func(text string) {
		decodeBoth(t, d, &pipeline.Record{Value: []byte(`{"type":"t","time":1000000000,"customer":"` + text + `"}`)})
		d.Reset()
	}
	for a := range 256 {
		for b := range 256 {
			try(string([]byte{'x', byte(a), byte(b)}))
		}
		for at := range 9 {
			indent := strings.Repeat("-", at)
			try(indent + string([]byte{byte(a)}))
			try(indent + string([]byte{'\\', byte(a)}))
			for i := range 4 {
				escape := []byte(indent + `\u0041`)
				escape[at+2+i] = byte(a)
				try(string(escape))
			}
		}
	}
}

// TestDecodeCutOff ends every record after every byte of it.
func TestDecodeCutOff(t *testing.T) {
	d := decode.New(testRecordBytes)
	for _, c := range codeCases {
		for n := range min(len(c.value), 500) {
			decodeBoth(t, d, &pipeline.Record{Value: []byte(c.value)[:n:n]})
		}
		d.Reset()
	}
}

// TestDecodeAgrees draws records near the limits of what is allowed, which random bytes seldom reach.
func TestDecodeAgrees(t *testing.T) {
	names := rapid.SampledFrom(
		[]string{
			"customer",
			"type",
			"time",
			"value",
			"currency",
			"id",
			"tenant",
			"properties",
			"x",
			`\u0069d`,
			`typ\u0065`,
			`\ud800`,
			"Type",
			"idx",
			"visit",
			"value2",
			"customer2",
			"currencies",
			"price",
			"tenants",
		},
	)
	values := rapid.OneOf(
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
			`"CLF"`,
			"0",
			"-0",
			"-1",
			"1e2",
			"1E-2",
			"1700000000",
			"1700000000000",
			"9999999999.9999",
			"10000000000",
			"31535999.999",
			"31536000",
			"7289654399",
			"7289654400",
			"7289654399999",
			"7289654400000",
			"92233720368547758.07",
			"-92233720368547758.08",
			"-92233720368547758.09",
			"9223372036854775807",
			"922337203685477.5807",
			`"1971-01-01T00:00:00+00:01"`,
			`"2200-12-31T23:59:59.999999999Z"`,
			`"2200-12-31t23:59:59-00:01"`,
			`"2026-03-01 00:00:00z"`,
			`"\ud83d\ude00"`,
			`"\ud83d"`,
			`"\u0031\u0032.3"`,
			`{"a":[1,{"b":"c"}],"d":"\n"}`,
		}),
		rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,6})?`),
		rapid.StringMatching(`"-?[0-9]{1,20}(\.[0-9]{0,6})?"`),
		rapid.StringMatching(
			`"(19|20|21|22)[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,10})?(Z|[+-][0-2][0-9]:[0-6][0-9])"`,
		),
		rapid.StringMatching(`"[A-Za-z]{3}"`),
		rapid.StringMatching(`"(x|é|\\n|\\u00e9|\\ud83d\\ude00|\\udc00){0,90}"`),
		rapid.Custom(func(t *rapid.T) string { return nestedArrays(rapid.IntRange(60, 66).Draw(t, "depth")) }),
	)
	d := decode.New(testRecordBytes)
	rapid.Check(t, func(rt *rapid.T) {
		b := []byte(flatJSON())
		b = b[:len(b)-1]
		for range rapid.IntRange(0, 6).Draw(rt, "members") {
			b = fmt.Appendf(b, `,"%s":%s`, names.Draw(rt, "name"), values.Draw(rt, "value"))
		}
		b = append(b, '}')
		if rapid.IntRange(0, 9).Draw(rt, "damage") == 0 {
			b[rapid.IntRange(0, len(b)-1).Draw(rt, "at")] = rapid.Byte().Draw(rt, "byte")
		}
		d.Reset()
		decodeBoth(t, d, &pipeline.Record{Value: b})
	})
}

// FuzzDecode compares decoder and oracle on any bytes.
func FuzzDecode(f *testing.F) {
	for _, c := range codeCases {
		if len(c.value) < 2000 {
			f.Add([]byte(c.value))
		}
	}
	d := decode.New(testRecordBytes)
	f.Fuzz(func(t *testing.T, value []byte) {
		d.Reset()
		decodeBoth(t, d, &pipeline.Record{Offset: 1, Timestamp: envelopeStamp, Value: value})
	})
}
