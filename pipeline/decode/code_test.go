package decode_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

var codeCases = []struct {
	name, value string
	want        pipeline.Code
}{
	{"typical", benchRecord, pipeline.Usable},
	{"least", flatJSON(), pipeline.Usable},
	{
		"white space everywhere",
		" \r\n\t{ \"customer\" : 7 , \"type\"\n:\t\"x\" , \"time\" : 1700000000 , \"p\" : [ { } , [ ] , 1 ] } \n",
		pipeline.Usable,
	},
	{"unknown members", flatJSON("colour", `{"deep":[1,-2.5e+3,true,false,null,{"a":{}}]}`), pipeline.Usable},
	{"deepest", flatJSON("properties", nestedArrays(pipeline.MaxDepth-1)), pipeline.Usable},
	{
		"everything null that may be",
		flatJSON("id", "null", "value", "null", "currency", "null", "tenant", "null", "properties", "null"),
		pipeline.Usable,
	},
	{
		"everything empty that may be",
		flatJSON("id", `""`, "value", `""`, "currency", `""`, "tenant", `""`),
		pipeline.Usable,
	},
	{"replacement character", flatJSON("customer", `"\ufffd`+"\uFFFD\""), pipeline.Usable},
	{"number and word at the end", `{"a":-0,"b":0}`, pipeline.CustomerMissing},
	{"half an emoji in a property", flatJSON("properties", `{"title":"cut \ud83d"}`), pipeline.Usable},
	{"half an emoji in an unknown name", `{"\ud83d":1,` + flatJSON()[1:], pipeline.Usable},
	{
		"last of repeated members counts",
		flatJSON()[:len(flatJSON())-1] + `,"time":"soon","time":1700000000}`,
		pipeline.Usable,
	},

	{"no value", "", pipeline.RecordEmpty},
	{"schema registry", "\x00\x00\x00\x00\x01rest", pipeline.RegistryFramed},
	{"above the limit", flatJSON("properties", longText(testRecordBytes)), pipeline.RecordTooLarge},

	{"white space only", " \n", pipeline.NotJSON},
	{"plain text", "hello", pipeline.NotJSON},
	{"array", "[]", pipeline.NotJSON},
	{"string", `"{}"`, pipeline.NotJSON},
	{"null", "null", pipeline.NotJSON},
	{"byte order mark", "\xef\xbb\xbf" + flatJSON(), pipeline.Usable},
	{"byte order mark and white space", "\xef\xbb\xbf \n" + flatJSON(), pipeline.Usable},
	{"byte order mark behind white space", " \xef\xbb\xbf" + flatJSON(), pipeline.NotJSON},
	{"two byte order marks", "\xef\xbb\xbf\xef\xbb\xbf" + flatJSON(), pipeline.NotJSON},
	{"half a byte order mark", "\xef\xbb" + flatJSON(), pipeline.NotJSON},
	{"byte order mark alone", "\xef\xbb\xbf", pipeline.NotJSON},
	{"byte order mark at the end", flatJSON() + "\xef\xbb\xbf", pipeline.NotJSON},
	{"UTF-16", "\xff\xfe{\x00}\x00", pipeline.NotJSON},
	{"two objects", flatJSON() + flatJSON(), pipeline.NotJSON},
	{"trailing zero byte", flatJSON() + "\x00", pipeline.NotJSON},
	{"cut off", flatJSON()[:40], pipeline.NotJSON},
	{"no closing brace", strings.TrimSuffix(flatJSON(), "}"), pipeline.NotJSON},
	{"trailing comma", `{"customer":"c",}`, pipeline.NotJSON},
	{"leading comma", `{,"customer":"c"}`, pipeline.NotJSON},
	{"no comma", `{"customer":"c""type":"t"}`, pipeline.NotJSON},
	{"no colon", `{"customer" "c"}`, pipeline.NotJSON},
	{"name is no string", `{customer:"c"}`, pipeline.NotJSON},
	{"single quotes", `{'customer':'c'}`, pipeline.NotJSON},
	{"mismatched brackets", flatJSON("properties", `[{]}`), pipeline.NotJSON},
	{"comma ends an array", flatJSON("properties", `[1,]`), pipeline.NotJSON},
	{"comma ends a nested object", flatJSON("properties", `{"a":1,}`), pipeline.NotJSON},
	{"nested name is no string", flatJSON("properties", `{"a":1,2:3}`), pipeline.NotJSON},
	{"leading zero", flatJSON("properties", "01"), pipeline.NotJSON},
	{"plus sign", flatJSON("properties", "+1"), pipeline.NotJSON},
	{"no digit before the point", flatJSON("properties", ".5"), pipeline.NotJSON},
	{"no digit behind the point", flatJSON("properties", "5."), pipeline.NotJSON},
	{"no exponent", flatJSON("properties", "5e"), pipeline.NotJSON},
	{"lone minus", flatJSON("properties", "-"), pipeline.NotJSON},
	{"NaN", flatJSON("value", "NaN"), pipeline.NotJSON},
	{"misspelt word", flatJSON("properties", "nul"), pipeline.NotJSON},
	{"capital word", flatJSON("properties", "True"), pipeline.NotJSON},
	{"zero byte in a string", flatJSON("properties", "\"a\x00b\""), pipeline.NotJSON},
	{"line end in a string", flatJSON("properties", "\"a\nb\""), pipeline.NotJSON},
	{"unknown escape", flatJSON("properties", `"\x41"`), pipeline.NotJSON},
	{"short escape", flatJSON("properties", `"\u12"`), pipeline.NotJSON},
	{"invalid UTF-8 in an unknown member", flatJSON("properties", "\"\xff\""), pipeline.NotJSON},
	{"overlong UTF-8", flatJSON("customer", "\"\xc0\xaf\""), pipeline.NotJSON},
	{"surrogate as UTF-8", flatJSON("customer", "\"\xed\xa0\x80\""), pipeline.NotJSON},
	{"UTF-8 cut off", flatJSON("customer", "\"\xe2\x82\""), pipeline.NotJSON},

	{"one level too many", flatJSON("properties", nestedArrays(pipeline.MaxDepth)), pipeline.NestedTooDeep},
	{"too deep and never closed", flatJSON("properties", strings.Repeat(`{"a":[`, 500)), pipeline.NestedTooDeep},
	{"faulty before it gets too deep", flatJSON("properties", `[01,`+nestedArrays(100)+"]"), pipeline.NotJSON},

	{"no customer", flatJSON("customer", ""), pipeline.CustomerMissing},
	{"no member at all", "{}", pipeline.CustomerMissing},
	{"name in capitals", strings.Replace(flatJSON(), "customer", "Customer", 1), pipeline.CustomerMissing},
	{"customer null", flatJSON("customer", "null"), pipeline.CustomerMissing},
	{"customer empty", flatJSON("customer", `""`), pipeline.CustomerMissing},
	{"customer last null", flatJSON()[:len(flatJSON())-1] + `,"customer":null}`, pipeline.CustomerMissing},
	{"customer longest", flatJSON("customer", longText(pipeline.MaxCustomer)), pipeline.Usable},
	{"customer too long", flatJSON("customer", longText(pipeline.MaxCustomer+1)), pipeline.CustomerTooLong},
	{
		"customer longest in escapes",
		flatJSON("customer", `"`+strings.Repeat(`\u0041`, pipeline.MaxCustomer)+`"`),
		pipeline.Usable,
	},
	{"customer too long in escapes", flatJSON("customer", `"`+strings.Repeat(`\u20ac`, 86)+`"`), pipeline.CustomerTooLong},
	{"customer integer", flatJSON("customer", "12345678901234567890"), pipeline.Usable},
	{"customer integer too long", flatJSON("customer", strings.Repeat("9", 257)), pipeline.CustomerTooLong},
	{"customer float", flatJSON("customer", "1.0"), pipeline.CustomerUnreadable},
	{"customer with exponent", flatJSON("customer", "1e3"), pipeline.CustomerUnreadable},
	{"customer boolean", flatJSON("customer", "true"), pipeline.CustomerUnreadable},
	{"customer object", flatJSON("customer", `{"id":"c-1"}`), pipeline.CustomerUnreadable},
	{"customer half a surrogate pair", flatJSON("customer", `"\ud800"`), pipeline.CustomerUnreadable},
	{"customer other half", flatJSON("customer", `"\udc00\ud800"`), pipeline.CustomerUnreadable},
	{"customer surrogate, then text", flatJSON("customer", `"\ud800\u0041"`), pipeline.CustomerUnreadable},
	{"customer surrogate, then escaped backslash", flatJSON("customer", `"\ud800\\udc00"`), pipeline.CustomerUnreadable},

	{"no type", flatJSON("type", ""), pipeline.TypeMissing},
	{"type empty", flatJSON("type", `""`), pipeline.TypeMissing},
	{"type number", flatJSON("type", "5"), pipeline.TypeUnreadable},
	{"type too long", flatJSON("type", longText(pipeline.MaxType+1)), pipeline.TypeUnreadable},

	{"no time", flatJSON("time", ""), pipeline.TimeMissing},
	{"time empty", flatJSON("time", `""`), pipeline.TimeMissing},
	{"time word", flatJSON("time", `"yesterday"`), pipeline.TimeUnreadable},
	{"time boolean", flatJSON("time", "true"), pipeline.TimeUnreadable},
	{"time with exponent", flatJSON("time", "1.7723E9"), pipeline.Usable},
	{"time with a huge exponent", flatJSON("time", "1e400"), pipeline.TimeOutOfRange},
	{"time with an exponent beyond all numbers", flatJSON("time", "1e99999999999999999999"), pipeline.TimeOutOfRange},
	{"time without offset", flatJSON("time", `"2026-03-01T00:00:00"`), pipeline.TimeUnreadable},
	{"time 29 February", flatJSON("time", `"2025-02-29T00:00:00Z"`), pipeline.TimeUnreadable},
	{"time too long", flatJSON("time", `"2026-03-01T00:00:00.`+strings.Repeat("0", 260)+`Z"`), pipeline.TimeUnreadable},
	{"time zero", flatJSON("time", "0"), pipeline.TimeOutOfRange},
	{"time negative", flatJSON("time", "-1700000000"), pipeline.TimeOutOfRange},
	{"time in microseconds", flatJSON("time", "1700000000000000"), pipeline.TimeOutOfRange},
	{"time of year 1", flatJSON("time", `"0001-01-01T00:00:00Z"`), pipeline.TimeOutOfRange},

	{"value boolean", flatJSON("value", "false"), pipeline.ValueUnreadable},
	{"value array", flatJSON("value", "[1]"), pipeline.ValueUnreadable},
	{"value beyond all floats", flatJSON("value", "1e400"), pipeline.ValueUnreadable},
	{"value with exponent", flatJSON("value", "1e2"), pipeline.Usable},
	{"value with exponent finer than its currency", flatJSON("value", "5e-7"), pipeline.ValueUnreadable},
	{"value with half an exponent", flatJSON("value", `"1e"`), pipeline.ValueUnreadable},
	{"value with symbol", flatJSON("value", `"€12"`), pipeline.ValueUnreadable},
	{"value with comma", flatJSON("value", `"12,34"`), pipeline.ValueUnreadable},
	{"value finer than its currency", flatJSON("value", "12.345"), pipeline.ValueUnreadable},
	{"value beyond 64 bits", flatJSON("value", "92233720368547758.08"), pipeline.ValueUnreadable},

	{"currency number", flatJSON("currency", "978"), pipeline.CurrencyUnreadable},
	{"currency symbol", flatJSON("currency", `"€"`), pipeline.CurrencyUnreadable},
	{"currency of four letters", flatJSON("currency", `"EURO"`), pipeline.CurrencyUnreadable},
	{"currency before value", flatJSON("currency", `"E"`, "value", "true"), pipeline.CurrencyUnreadable},

	{"id float", flatJSON("id", "1.5"), pipeline.IDUnreadable},
	{"id object", flatJSON("id", "{}"), pipeline.IDUnreadable},
	{"id too long", flatJSON("id", longText(pipeline.MaxID+1)), pipeline.IDUnreadable},
	{"tenant number", flatJSON("tenant", "5"), pipeline.TenantUnreadable},
	{"tenant longest", flatJSON("tenant", longText(pipeline.MaxTenant)), pipeline.Usable},
	{"tenant too long", flatJSON("tenant", longText(pipeline.MaxTenant+1)), pipeline.TenantUnreadable},
}

// TestDecodeCode covers every code of the closed list with at least one record.
func TestDecodeCode(t *testing.T) {
	seen := map[pipeline.Code]bool{}
	for _, c := range codeCases {
		seen[c.want] = true
		t.Run(c.name, func(t *testing.T) {
			r := pipeline.Record{Offset: 42, Timestamp: 1_700_000_000_123, AppendTime: true, Value: []byte(c.value)}
			if got := decodeBoth(t, decode.New(testRecordBytes), &r); got.Code != c.want {
				t.Errorf("code %v, want %v, of %.200q", got.Code, c.want, c.value)
			}
		})
	}
	for c := pipeline.Usable; c.String() != "unknown"; c++ {
		if !seen[c] {
			t.Errorf("no case for %v", c)
		}
	}
}

// TestCodes compares numbers and names with a golden file: both are a contract, the number in the outbox and the name
// in the headers of quarantined records.
func TestCodes(t *testing.T) {
	var got strings.Builder
	for c := pipeline.Usable; c.String() != "unknown"; c++ {
		fmt.Fprintf(&got, "%d %s\n", c, c)
	}
	want, err := os.ReadFile("testdata/codes.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("codes.golden (-), code (+):\n%s", diff)
	}
}
