package decode_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring/scoringtest/golden"
)

// shopSpec is a mapping like one that a shop with JSON of its own has.
func shopSpec() *decode.MappingSpec {
	return &decode.MappingSpec{
		Customer: decode.PartSpec{Paths: []string{"/user/id", "/visitor"}},
		Type:     decode.PartSpec{Paths: []string{"/event/name"}, Default: "Visit"},
		Time:     decode.PartSpec{Paths: []string{"/ts"}, Default: decode.RecordTime},
		Value:    decode.PartSpec{Paths: []string{"/items/0/price", "/amount"}},
		Currency: decode.PartSpec{Paths: []string{"/currency"}, Default: "EUR"},
		ID:       decode.PartSpec{Paths: []string{"/event/id"}},
		Tenant:   decode.PartSpec{Paths: []string{"/shop~1name"}},
		TimeAs:   "auto", ValueAs: "decimal",
	}
}

// shopJSON is a usable record of it, apart from changes as in flatJSON.
func shopJSON(changes ...string) string {
	return changeJSON(
		[]string{"user", `{"name":"Ann","id":"c-1"}`, "event", `{"name":"order","id":7}`, "ts", `"2026-03-01T10:00:00Z"`},
		changes,
	)
}

// mappedCases are records by what is wrong with them as records of shopSpec.
func mappedCases() (cases []envelopeCase) {
	add := func(name, value string, want pipeline.Code, headers ...string) {
		r := pipeline.Record{Offset: 42, Timestamp: envelopeStamp, Value: []byte(value)}
		if len(headers) > 0 {
			r.Headers = encodeHeaders(headers...)
		}
		cases = append(cases, envelopeCase{name, r, want})
	}
	add("usable", shopJSON(), pipeline.Usable)
	add("white space", " { \"user\" : { \"id\" : 5 } , \"items\" : [ { \"price\" : 1 } , 2 ] } ", pipeline.Usable)
	add("second path", shopJSON("user", "{}", "visitor", `"v-1"`), pipeline.Usable)
	add("second path behind null", shopJSON("user", `{"id":null}`, "visitor", `"v-1"`), pipeline.Usable)
	add("second path behind a fault", shopJSON("user", `{"id":{}}`, "visitor", `"v-1"`), pipeline.CustomerUnreadable)
	add("nobody", shopJSON("user", ""), pipeline.CustomerMissing)
	add("user is a text", shopJSON("user", `"c-1"`), pipeline.CustomerMissing)
	add("user is an array", shopJSON("user", `[{"id":"c-1"}]`), pipeline.CustomerMissing)
	add("user repeated", `{"user":{"id":"c-1"},"user":{"name":"Ann"}}`, pipeline.CustomerMissing)
	add("user repeated as text", `{"user":{"id":"c-1"},"user":7}`, pipeline.CustomerMissing)
	add("id repeated", shopJSON("user", `{"id":{},"id":"c-2"}`), pipeline.Usable)
	add(
		"names in escapes",
		strings.NewReplacer("user", `\u0075ser`, `"id"`, `"i\u0064"`).Replace(shopJSON()),
		pipeline.Usable,
	)
	add("half an emoji in a name", `{"us\ud83der":{"id":1}}`, pipeline.CustomerMissing)
	add("customer float", shopJSON("user", `{"id":1.5}`), pipeline.CustomerUnreadable)
	add("customer too long", shopJSON("user", `{"id":`+longText(257)+"}"), pipeline.CustomerTooLong)
	add("type of the default", shopJSON("event", ""), pipeline.Usable)
	add("type is a number", shopJSON("event", `{"name":17}`), pipeline.Usable)
	add("type is an object", shopJSON("event", `{"name":{}}`), pipeline.TypeUnreadable)
	add("time of the record", shopJSON("ts", ""), pipeline.Usable)
	add("time unreadable", shopJSON("ts", `"01.03.2026"`), pipeline.TimeUnreadable)
	add("time is true", shopJSON("ts", "true"), pipeline.TimeUnreadable)
	add("time of 1970", shopJSON("ts", "5"), pipeline.TimeOutOfRange)
	add("price", shopJSON("items", `[{"price":12.995},{"price":"x"}]`, "amount", `"x"`), pipeline.Usable)
	add("amount", shopJSON("items", "[]", "amount", "5"), pipeline.Usable)
	add("amount where items are an object", shopJSON("items", `{"1":1}`, "amount", "5"), pipeline.Usable)
	add("items are an object", shopJSON("items", `{"0":{"price":7}}`), pipeline.Usable)
	add("value is a word", shopJSON("amount", `"much"`), pipeline.ValueUnreadable)
	add("value with exponent", shopJSON("amount", "1e2"), pipeline.Usable)
	add("byte order mark", "\xef\xbb\xbf"+shopJSON(), pipeline.Usable)
	add("id null", shopJSON("event", `{"name":"order","id":null}`), pipeline.Usable)
	add("time without an offset", shopJSON("ts", `"2026-03-01 10:00:00"`), pipeline.TimeUnreadable)
	add("currency", shopJSON("currency", `"jpy"`, "amount", "5"), pipeline.Usable)
	add("currency symbol", shopJSON("currency", `"€"`), pipeline.CurrencyUnreadable)
	add("id object", shopJSON("event", `{"id":[1]}`), pipeline.IDUnreadable)
	add("tenant", shopJSON("shop/name", `"de"`), pipeline.Usable)
	add("tenant too long", shopJSON("shop/name", longText(65)), pipeline.TenantUnreadable)
	add("empty", "", pipeline.RecordEmpty)
	add("framed", "\x00\x00\x00\x00\x01{}", pipeline.RegistryFramed)
	add("array", "["+shopJSON()+"]", pipeline.NotJSON)
	add("too deep beside the paths", shopJSON("x", nestedArrays(pipeline.MaxDepth)), pipeline.NestedTooDeep)
	add(
		"deepest on a path",
		shopJSON("user", `{"id":`+nestedArrays(pipeline.MaxDepth-2)+"}", "visitor", "5"),
		pipeline.CustomerUnreadable,
	)
	add("too deep on a path", shopJSON("user", `{"id":`+nestedArrays(pipeline.MaxDepth-1)+"}"), pipeline.NestedTooDeep)
	for name, damage := range map[string]string{
		"no colon": `{"user"{"id":1}}`, "no comma": `{"user":{"id":1"x":2}}`, "comma at the end": `{"user":{"id":1,}}`, "array's comma": `{"items":[{"price":1},]}`,
		"array without comma": `{"items":[{"price":1}2]}`, "array's end": `{"items":[{"price":1}`, "object's end": `{"user":{"id":1`, "wrong bracket": `{"user":{"id":1]}`,
		"behind it": shopJSON() + "x", "number": `{"user":{"id":01}}`, "empty items cut": `{"items":[`, "word": `{"user":{"id":nul}}`,
	} {
		add("damaged: "+name, damage, pipeline.NotJSON)
	}
	add("flat", flatJSON(), pipeline.Usable)
	add("flat without time", flatJSON("time", ""), pipeline.CustomerMissing)
	add("flat customer is an object", flatJSON("customer", "{}"), pipeline.CustomerMissing)
	add("flat with a wrong time", flatJSON("time", `"soon"`), pipeline.TimeUnreadable)
	add("segment", trackJSON(), pipeline.Usable)
	add("segment of nobody", trackJSON("userId", ""), pipeline.CustomerMissing)
	add("call of nobody that the mapping knows", trackJSON("userId", "", "visitor", "5"), pipeline.Usable)
	add("cloud", cloudJSON(), pipeline.Usable)
	add("cloud by header", cloudJSON("specversion", ""), pipeline.Usable, "content-type", "application/cloudevents+json")
	add(
		"binary",
		"",
		pipeline.Usable,
		"ce_specversion",
		"1.0",
		"ce_id",
		"1",
		"ce_source",
		"/shop",
		"ce_type",
		"shop.order",
		"ce_subject",
		"c-1",
	)
	return cases
}

// TestMapping decodes with one mapping the records that it was made for, and those that the envelopes claim.
func TestMapping(t *testing.T) {
	spec := shopSpec()
	for _, c := range mappedCases() {
		t.Run(c.name, func(t *testing.T) {
			if got := decodeBothMapped(t, mapped(t, spec), &c.record, spec); got.Code != c.want {
				t.Errorf("code %v, want %v, of %.200q", got.Code, c.want, c.record.Value)
			}
			all := *spec
			all.All = true
			decodeBothMapped(t, mapped(t, &all), &c.record, &all)
		})
	}
}

func TestMappedEvent(t *testing.T) {
	const at = 1_772_359_200_000 // 2026-03-01T10:00:00Z
	usual := plainEvent{
		Key:       "\x00c-1",
		Customer:  "c-1",
		Type:      "order",
		ID:        "7",
		Time:      at,
		Timestamp: envelopeStamp,
		Currency:  "EUR",
		Envelope:  pipeline.Mapped,
	}
	for _, c := range []struct {
		name, value string
		spec        func(s *decode.MappingSpec)
		want        func(e *plainEvent)
	}{
		{"as it is", shopJSON(), nil, func(*plainEvent) {}},
		{"everything", shopJSON(
			"shop/name",
			`"de"`,
			"currency",
			`"jpy"`,
			"amount",
			`"12.5"`,
			"visitor",
			`"v"`,
		), nil, func(e *plainEvent) {
			e.Key, e.Tenant, e.Currency, e.Value, e.HasValue = "\x02dec-1", "de", "JPY", 13, true
		}},
		{"least", `{"visitor":5}`, nil, func(e *plainEvent) {
			e.Key, e.Customer, e.Type, e.ID, e.Time = "\x005", "5", "Visit", "", envelopeStamp
		}},
		{"all defaults", `{}`, func(s *decode.MappingSpec) {
			s.Customer.Default, s.Value.Default, s.Tenant.Default = "somebody", "9.999", "de"
		}, func(e *plainEvent) {
			e.Key, e.Customer, e.Tenant, e.Type, e.ID, e.Time = "\x02desomebody", "somebody", "de", "Visit", "", envelopeStamp
			e.Value, e.HasValue = 1000, true
		}},
		{
			"minor units",
			shopJSON("amount", "1290.0"),
			func(s *decode.MappingSpec) { s.ValueAs = "minor" },
			func(e *plainEvent) { e.Value, e.HasValue = 1290, true },
		},
		{"half a minor unit", shopJSON("amount", "1290.5"), func(s *decode.MappingSpec) { s.ValueAs = "minor" }, func(e *plainEvent) {
			*e = plainEvent{Timestamp: envelopeStamp, Code: pipeline.ValueUnreadable, Envelope: pipeline.Mapped}
		}},
		{
			"seconds",
			shopJSON("ts", "1772359200.25"),
			func(s *decode.MappingSpec) { s.TimeAs = "seconds" },
			func(e *plainEvent) { e.Time += 250 },
		},
		{
			"microseconds",
			shopJSON("ts", "1772359200001999"),
			func(s *decode.MappingSpec) { s.TimeAs = "microseconds" },
			func(e *plainEvent) { e.Time++ },
		},
		{
			"nanoseconds",
			shopJSON("ts", `"1772359200001999999"`),
			func(s *decode.MappingSpec) { s.TimeAs = "nanoseconds" },
			func(e *plainEvent) { e.Time++ },
		},
		{"no RFC 3339", shopJSON("ts", "1772359200"), func(s *decode.MappingSpec) { s.TimeAs = "rfc3339" }, func(e *plainEvent) {
			*e = plainEvent{Timestamp: envelopeStamp, Code: pipeline.TimeUnreadable, Envelope: pipeline.Mapped}
		}},
		{"milliseconds taken for seconds", shopJSON(
			"ts",
			"1772359200000",
		), func(s *decode.MappingSpec) { s.TimeAs = "seconds" }, func(e *plainEvent) {
			*e = plainEvent{Timestamp: envelopeStamp, Code: pipeline.TimeOutOfRange, Envelope: pipeline.Mapped}
		}},
		{"seconds beyond 64 bits of milliseconds", shopJSON(
			"ts",
			"18446745846068752",
		), func(s *decode.MappingSpec) { s.TimeAs = "seconds" }, func(e *plainEvent) {
			*e = plainEvent{Timestamp: envelopeStamp, Code: pipeline.TimeOutOfRange, Envelope: pipeline.Mapped}
		}},
		{"a track by the mapping", trackJSON("visitor", `"v-1"`), func(s *decode.MappingSpec) { s.All = true }, func(e *plainEvent) {
			e.Key, e.Customer, e.Type, e.ID, e.Time = "\x00v-1", "v-1", "Visit", "", envelopeStamp
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, want := shopSpec(), usual
			if c.spec != nil {
				c.spec(spec)
			}
			c.want(&want)
			r := pipeline.Record{Value: []byte(c.value), Timestamp: envelopeStamp}
			if diff := cmp.Diff(want, decodeBothMapped(t, mapped(t, spec), &r, spec)); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

// TestPointer covers the rules of RFC 6901 one by one.
func TestPointer(t *testing.T) {
	record := `{"":"empty","a/b":"slash","m~n":"tilde","c%d":"percent"," ":"space","k\"l":"quote","0":"zero","x":["first",{"y":["deep"]},"` + strings.Repeat(
		"z",
		3,
	) + `"],"~1":"tilde one","n":{"0":"name","01":"other"}}`
	for path, want := range map[string]string{
		"/": "empty", "/a~1b": "slash", "/m~0n": "tilde", "/c%d": "percent", "/ ": "space", `/k"l`: "quote", "/0": "zero",
		"/x/0": "first", "/x/1/y/0": "deep", "/x/2": "zzz", "/x/3": "", "/x/00": "", "/x/-": "", "/x/-1": "", "/x/1/0": "", "/~01": "tilde one",
		"/n/0": "name", "/n/01": "other", "/x": "customer_unreadable", "/n": "customer_unreadable", "/x/99999999999999999999": "",
	} {
		t.Run(path, func(t *testing.T) {
			spec := &decode.MappingSpec{
				Customer: decode.PartSpec{
					Paths: []string{path},
				},
				Type:    decode.PartSpec{Default: "t"},
				Time:    decode.PartSpec{Default: "record"},
				TimeAs:  "auto",
				ValueAs: "decimal",
			}
			got := decodeBothMapped(t, mapped(t, spec), &pipeline.Record{Timestamp: envelopeStamp, Value: []byte(record)}, spec)
			switch {
			case want == "" && got.Code == pipeline.CustomerMissing,
				want == got.Code.String(),
				got.Code == pipeline.Usable && got.Customer == want:
			default:
				t.Errorf("%v %q, want %q", got.Code, got.Customer, want)
			}
		})
	}
}

// TestMappingFaults shows the message for each mistake in a mapping: testdata/mapping_faults.golden is made to be read.
// It is written with -update.
func TestMappingFaults(t *testing.T) {
	var out strings.Builder
	for _, c := range []struct {
		name   string
		change func(s *decode.MappingSpec)
	}{
		{"dots", func(s *decode.MappingSpec) { s.Customer.Paths = []string{"user.id"} }},
		{"JSONPath", func(s *decode.MappingSpec) { s.Value.Paths = []string{"$.items[0]['price']"} }},
		{"nothing but a dollar", func(s *decode.MappingSpec) { s.Value.Paths = []string{"$"} }},
		{"tilde", func(s *decode.MappingSpec) { s.Type.Paths = []string{"/a~b", "/a~2"} }},
		{"too deep", func(s *decode.MappingSpec) { s.ID.Paths = []string{strings.Repeat("/a", 65)} }},
		{"name too long", func(s *decode.MappingSpec) { s.ID.Paths = []string{"/" + strings.Repeat("a", 257)} }},
		{"nothing at all", func(s *decode.MappingSpec) { *s = decode.MappingSpec{TimeAs: "auto", ValueAs: "decimal"} }},
		{"unknown forms", func(s *decode.MappingSpec) { s.TimeAs, s.ValueAs = "iso", "cents" }},
		{"unknown zone", func(s *decode.MappingSpec) { s.TimeZone = "Europe/Atlantis" }},
		{"the machine's zone", func(s *decode.MappingSpec) { s.TimeZone = "Local" }},
		{"zone of an abbreviation", func(s *decode.MappingSpec) { s.TimeZone = "PST" }},
		{"zone of a number", func(s *decode.MappingSpec) { s.TimeAs, s.TimeZone = "seconds", "UTC" }},
		{"defaults", func(s *decode.MappingSpec) {
			s.Customer.Default, s.Type.Default, s.Tenant.Default = strings.Repeat(
				"c",
				257,
			), strings.Repeat("t", 257), strings.Repeat("t", 65)
			s.Time.Default, s.Value.Default, s.Currency.Default, s.ID.Default = "now", "much", "EURO", "7"
		}},
		{"no UTF-8", func(s *decode.MappingSpec) { s.Customer.Default = "\xff" }},
		{"value far too long", func(s *decode.MappingSpec) { s.Value.Default = strings.Repeat("1", 257) }},
		{"fraction of a minor unit", func(s *decode.MappingSpec) { s.Value.Default, s.ValueAs = "0.5", "minor" }},
		{"too many paths", func(s *decode.MappingSpec) {
			for i := range 65 {
				s.Customer.Paths = append(s.Customer.Paths, fmt.Sprintf("/a/%d", i))
			}
		}},
		{"what flat JSON claims", func(s *decode.MappingSpec) {
			s.Customer.Paths, s.Type, s.Time = []string{
				"/customer",
			}, decode.PartSpec{Paths: []string{"/type"}}, decode.PartSpec{Paths: []string{"/time"}}
		}},
	} {
		spec := shopSpec()
		c.change(spec)
		_, err := decode.NewMapping(spec)
		if !errors.As(err, new(decode.MappingFaults)) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		fmt.Fprintf(&out, "## %s\n%s\n\n", c.name, err)
	}
	golden.File(t, "mapping_faults.golden", out.String())
}

// TestMappedAllocations: no record allocates once the scratch memory is there, usable or not.
func TestMappedAllocations(t *testing.T) {
	d, e := mapped(t, shopSpec()), pipeline.Event{}
	var records []pipeline.Record
	for _, c := range mappedCases() {
		records = append(records, c.record)
	}
	const size = 1 << 20
	for _, part := range []string{`"user":{"id":5},`, `"\u0075ser":[],`, `"items":[{},{}],`, `"\t\t\t\t\t\t":0,`} {
		records = append(
			records,
			pipeline.Record{Value: []byte("{" + strings.Repeat(part, size/len(part)/2) + shopJSON()[1:])},
		)
	}
	if allocs := testing.AllocsPerRun(20, func() {
		d.Reset()
		for i := range records {
			d.Decode(&records[i], &e)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations a batch, want none", allocs)
	}
}

// TestMappedCutOff ends every record after every byte of it.
func TestMappedCutOff(t *testing.T) {
	spec := shopSpec()
	d := mapped(t, spec)
	for _, c := range mappedCases() {
		for n := range min(len(c.record.Value), 400) {
			r := c.record
			r.Value = r.Value[:n:n]
			decodeBothMapped(t, d, &r, spec)
		}
		d.Reset()
	}
}
