package decode_test

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// envelopeStamp is the timestamp of the records below: 2026-03-01T10:00:05Z.
const envelopeStamp = 1_772_359_205_000

type envelopeCase struct {
	name   string
	record pipeline.Record
	want   pipeline.Code
}

// trackJSON is a usable track, cloudJSON a usable CloudEvent in structured mode, apart from changes as in flatJSON.
func trackJSON(changes ...string) string {
	return changeJSON(
		[]string{"type", `"track"`, "event", `"Order Completed"`, "userId", `"c-1"`, "timestamp", `"2026-03-01T10:00:00Z"`},
		changes,
	)
}

func cloudJSON(changes ...string) string {
	return changeJSON(
		[]string{
			"specversion",
			`"1.0"`,
			"id",
			`"1"`,
			"source",
			`"/shop"`,
			"type",
			`"shop.order"`,
			"subject",
			`"c-1"`,
			"time",
			`"2026-03-01T10:00:00Z"`,
		},
		changes,
	)
}

// envelopeCases are records of Segment's and CloudEvents' envelopes, by what is wrong with them.
func envelopeCases() (cases []envelopeCase) {
	add := func(name, value string, want pipeline.Code, headers ...string) {
		r := pipeline.Record{Offset: 42, Timestamp: envelopeStamp, Value: []byte(value)}
		if len(headers) > 0 {
			r.Headers = encodeHeaders(headers...)
		}
		cases = append(cases, envelopeCase{name, r, want})
	}
	segmentCases(func(name, value string, want pipeline.Code) { add("segment "+name, value, want) })
	structuredCases(func(name, value string, want pipeline.Code, headers ...string) {
		add("structured "+name, value, want, headers...)
	})
	binaryCases(func(name, value string, want pipeline.Code, headers ...string) {
		add(
			"binary "+name,
			value,
			want,
			append(
				[]string{"ce_specversion", "1.0", "ce_id", "1", "ce_source", "/shop", "ce_type", "shop.order", "ce_subject", "c-1"},
				headers...)...)
	})
	return cases
}

func segmentCases(add func(name, value string, want pipeline.Code)) {
	add("track", trackJSON(), pipeline.Usable)
	add("call in escapes", trackJSON("type", `"tr\u0061ck"`), pipeline.Usable)
	add(
		"names in escapes",
		strings.NewReplacer("userId", `user\u0049d`, "timestamp", `\u0074imestamp`).Replace(trackJSON()),
		pipeline.Usable,
	)
	add("call with a customer is flat", trackJSON("customer", `"c-1"`), pipeline.TimeMissing)
	add("call with a null customer", trackJSON("customer", "null"), pipeline.Usable)
	add("unknown call", trackJSON("type", `"forget"`), pipeline.CustomerMissing)
	add("call in capitals", trackJSON("type", `"Track"`), pipeline.CustomerMissing)
	add("call is no text", trackJSON("type", "{}"), pipeline.CustomerMissing)
	add("nobody", trackJSON("userId", ""), pipeline.CustomerMissing)
	add("nobody with a message id", trackJSON("userId", "null", "messageId", `"m"`), pipeline.CustomerMissing)
	add("user empty", trackJSON("userId", `""`, "anonymousId", `"a"`), pipeline.Usable)
	add("user integer", trackJSON("userId", "7"), pipeline.Usable)
	add("user object", trackJSON("userId", "{}", "anonymousId", `"a"`), pipeline.CustomerUnreadable)
	add("user too long", trackJSON("userId", longText(257)), pipeline.CustomerTooLong)
	add("anonymous object", trackJSON("userId", "", "anonymousId", "[]"), pipeline.CustomerUnreadable)
	add("repeated user", trackJSON()[:len(trackJSON())-1]+`,"userId":false,"userId":"c-2"}`, pipeline.Usable)
	add("no event", trackJSON("event", ""), pipeline.TypeMissing)
	add("event object", trackJSON("event", "{}"), pipeline.TypeUnreadable)
	add("event too long", trackJSON("event", longText(257)), pipeline.TypeUnreadable)
	for _, call := range []string{"page", "screen", "identify", "group", "alias", "delete", "erase"} {
		add(call+" needs no event", trackJSON("type", `"`+call+`"`, "event", "{}"), pipeline.Usable)
	}
	add("no time", trackJSON("timestamp", ""), pipeline.TimeMissing)
	add("time object", trackJSON("timestamp", "{}"), pipeline.TimeUnreadable)
	add("time word", trackJSON("timestamp", `"soon"`, "sentAt", `"2026-03-01T10:00:00Z"`), pipeline.TimeUnreadable)
	add("time of 1970, not corrected", trackJSON("timestamp", `"1970-01-01T00:00:04Z"`), pipeline.TimeOutOfRange)
	add(
		"time of 1970, corrected",
		trackJSON(
			"timestamp",
			`"1970-01-01T00:00:04Z"`,
			"sentAt",
			`"1970-01-01T00:00:05Z"`,
			"receivedAt",
			`"2026-03-01T10:00:05Z"`,
		),
		pipeline.Usable,
	)
	add(
		"time corrected out of range",
		trackJSON("sentAt", `"2026-03-01T10:00:00Z"`, "receivedAt", `"1970-01-01T00:00:05Z"`),
		pipeline.TimeOutOfRange,
	)
	add(
		"time beyond 64 bits",
		trackJSON(
			"timestamp",
			"99999999999999999999",
			"sentAt",
			"99999999999999999999",
			"receivedAt",
			`"2026-03-01T10:00:05Z"`,
		),
		pipeline.TimeOutOfRange,
	)
	for _, name := range []string{"sentAt", "receivedAt", "originalTimestamp"} {
		add(name+" object", trackJSON("sentAt", `"2026-03-01T10:00:00Z"`, name, `{"a":1}`), pipeline.Usable)
	}
	add("float with noise", trackJSON("properties", `{"revenue":19.989999999999998}`), pipeline.Usable)
	add("revenue with exponent", trackJSON("properties", `{"revenue":1e2}`), pipeline.Usable)
	add("revenue next to nothing", trackJSON("properties", `{"revenue":5e-7}`), pipeline.Usable)
	add("revenue object", trackJSON("properties", `{"revenue":{}}`), pipeline.ValueUnreadable)
	add("revenue null, total word", trackJSON("properties", `{"revenue":null,"total":"ten"}`), pipeline.ValueUnreadable)
	add("value beyond 64 bits", trackJSON("properties", `{"value":92233720368547758.075}`), pipeline.ValueUnreadable)
	add("currency of four letters", trackJSON("properties", `{"currency":"EURO"}`), pipeline.CurrencyUnreadable)
	add("properties array", trackJSON("properties", `[{"revenue":"x"}]`), pipeline.Usable)
	add("properties text", trackJSON("properties", `"revenue"`), pipeline.Usable)
	add("properties deepest", trackJSON("properties", nestedArrays(pipeline.MaxDepth-1)), pipeline.Usable)
	add("properties too deep", trackJSON("properties", nestedArrays(pipeline.MaxDepth)), pipeline.NestedTooDeep)
	add(
		"deepest inside properties",
		trackJSON("properties", `{"a":`+nestedArrays(pipeline.MaxDepth-2)+`,"revenue":5}`),
		pipeline.Usable,
	)
	add("message id object", trackJSON("messageId", "{}"), pipeline.IDUnreadable)
	add("message id too long", trackJSON("messageId", longText(257)), pipeline.IDUnreadable)
	add("group", trackJSON("context", `{"ip":"::1","groupId":"g"}`), pipeline.Usable)
	add("group number", trackJSON("context", `{"groupId":12}`), pipeline.Usable)
	add("group object", trackJSON("context", `{"groupId":{}}`), pipeline.TenantUnreadable)
	add("group too long", trackJSON("context", `{"groupId":`+longText(65)+`}`), pipeline.TenantUnreadable)
	add("context array", trackJSON("context", `[]`), pipeline.Usable)
	add("context spaced", trackJSON("context", "{ \"groupId\" : \"g\" , \"a\" : { } \n}"), pipeline.Usable)
	add("context empty", trackJSON("context", "{ }"), pipeline.Usable)
}

func structuredCases(add func(name, value string, want pipeline.Code, headers ...string)) {
	add("event", cloudJSON(), pipeline.Usable)
	add(
		"by content type alone",
		cloudJSON("specversion", ""),
		pipeline.Usable,
		"content-type",
		"application/cloudevents+json; charset=UTF-8",
	)
	add(
		"by content type in capitals",
		cloudJSON("specversion", "null"),
		pipeline.Usable,
		"content-type",
		"Application/CloudEvents+JSON",
	)
	add(
		"content type before binary",
		cloudJSON(),
		pipeline.Usable,
		"content-type",
		"application/cloudevents+json",
		"ce_specversion",
		"1.0",
		"ce_type",
		"\xff",
	)
	add("not JSON", "Obj\x01", pipeline.NotJSON, "content-type", "application/cloudevents+avro")
	add("batch", "["+cloudJSON()+"]", pipeline.NotJSON, "content-type", "application/cloudevents-batch+json")
	add("empty", "", pipeline.RecordEmpty, "content-type", "application/cloudevents+json")
	add("version number is flat", cloudJSON("specversion", "1.0"), pipeline.CustomerMissing)
	add("version empty is flat", cloudJSON("specversion", `""`), pipeline.CustomerMissing)
	add("version in escapes", cloudJSON("specversion", `"\u0031.0"`), pipeline.Usable)
	add("with a customer", cloudJSON("customer", `"c-2"`), pipeline.Usable)
	add("nobody", cloudJSON("subject", ""), pipeline.CustomerMissing)
	add("nobody but a user id", cloudJSON("subject", "", "userId", `"c-1"`, "type", `"track"`), pipeline.CustomerMissing)
	add("partition key", cloudJSON("subject", `""`, "partitionkey", `"c-1"`), pipeline.Usable)
	add("subject array", cloudJSON("subject", "[]"), pipeline.CustomerUnreadable)
	add("customer in data is an object", cloudJSON("data", `{"customer":{"id":1}}`), pipeline.CustomerUnreadable)
	add("customer in data too long", cloudJSON("data", `{"customer":`+longText(257)+`}`), pipeline.CustomerTooLong)
	add("no type", cloudJSON("type", ""), pipeline.TypeMissing)
	add("type number", cloudJSON("type", "5"), pipeline.TypeUnreadable)
	add("no time", cloudJSON("time", ""), pipeline.Usable)
	add("time word", cloudJSON("time", `"soon"`), pipeline.TimeUnreadable)
	add("time out of range", cloudJSON("time", `"1970-06-01T00:00:00Z"`), pipeline.TimeOutOfRange)
	add("no id", cloudJSON("id", "", "source", "null"), pipeline.Usable)
	add("id object", cloudJSON("id", "{}"), pipeline.IDUnreadable)
	add("source number", cloudJSON("source", "5"), pipeline.IDUnreadable)
	add("source longest", cloudJSON("source", longText(1024)), pipeline.Usable)
	add("source too long", cloudJSON("source", longText(1025)), pipeline.IDUnreadable)
	add("source too long in escapes", cloudJSON("source", `"`+strings.Repeat(`\u00e9`, 513)+`"`), pipeline.IDUnreadable)
	add("tenant array", cloudJSON("tenant", "[]"), pipeline.TenantUnreadable)
	add("tenant in data too long", cloudJSON("data", `{"tenant":`+longText(65)+`}`), pipeline.TenantUnreadable)
	add("data text", cloudJSON("data", `"{\"customer\":\"c-2\"}"`), pipeline.Usable)
	add("data array", cloudJSON("data", `[{"value":"x"}]`), pipeline.Usable)
	add("data null", cloudJSON("data", "null"), pipeline.Usable)
	dataCases(add)
	add(
		"data deepest",
		cloudJSON("data", strings.Repeat(`{"a":`, pipeline.MaxDepth-1)+"1"+strings.Repeat("}", pipeline.MaxDepth-1)),
		pipeline.Usable,
	)
	add("data too deep", cloudJSON("data", nestedArrays(pipeline.MaxDepth)), pipeline.NestedTooDeep)
	add("repeated data", `{"data":{"value":"x"},`+cloudJSON("data", `{"value":1}`)[1:], pipeline.Usable)
	add("value word", cloudJSON("data", `{"value":"high"}`), pipeline.ValueUnreadable)
	add("currency number", cloudJSON("data", `{"currency":978}`), pipeline.CurrencyUnreadable)
	add("damaged headers", cloudJSON(), pipeline.Usable, "content-type")
}

// dataCases are the ways in which data comes that is not simply an object.
func dataCases(add func(name, value string, want pipeline.Code, headers ...string)) {
	in64 := func(text string, changes ...string) string {
		return cloudJSON(
			append([]string{"data_base64", fmt.Sprintf("%q", base64.StdEncoding.EncodeToString([]byte(text)))}, changes...)...)
	}
	const broken, wrong = `{"customer":"c-2"`, `{"value":"x"}`
	add("base64", in64(`{"customer":"c-2","value":1}`), pipeline.Usable)
	add("base64 is looked into", in64(wrong), pipeline.ValueUnreadable)
	add("base64 of a broken object", in64(broken), pipeline.NotJSON)
	add("base64 of no JSON", in64("\x00\x01avro"), pipeline.NotJSON)
	add("base64 of no JSON, as declared", in64("\x00\x01avro", "datacontenttype", `"application/avro"`), pipeline.Usable)
	add("base64 of JSON, declared otherwise", in64(wrong, "datacontenttype", `"text/plain"`), pipeline.ValueUnreadable)
	add("base64 of a broken object, declared otherwise", in64(broken, "datacontenttype", `"text/plain"`), pipeline.Usable)
	add("base64 of an array", in64(`[1]`), pipeline.Usable)
	add("base64 of a text of an object", in64(`"{\"value\":\"x\"}"`), pipeline.ValueUnreadable)
	add("base64 of an object behind a byte order mark", in64("\xef\xbb\xbf"+wrong), pipeline.ValueUnreadable)
	add("base64 too deep", in64(nestedArrays(65)), pipeline.NestedTooDeep)
	add("base64 empty", cloudJSON("data_base64", `""`), pipeline.Usable)
	add("base64 null", cloudJSON("data_base64", "null"), pipeline.Usable)
	add("base64 of nothing", cloudJSON("data_base64", `"\n"`), pipeline.Usable)
	add("base64 is a number", cloudJSON("data_base64", "5"), pipeline.NotJSON)
	add("base64 of another character", cloudJSON("data_base64", `"eyJ2YWx1ZSI6IngifQ*="`), pipeline.NotJSON)
	add("base64 cut off", cloudJSON("data_base64", `"eyJ2YWx1ZSI6IngifQ="`), pipeline.NotJSON)
	add("base64 of a single character", cloudJSON("data_base64", `"e"`), pipeline.NotJSON)
	add("base64 without padding", cloudJSON("data_base64", `"eyJ2YWx1ZSI6IngifQ"`), pipeline.ValueUnreadable)
	add("base64 in lines", cloudJSON("data_base64", `"eyJ2YWx1ZSI6\r\nIngifQ==\n"`), pipeline.ValueUnreadable)
	add("base64 with data", in64(wrong, "data", `{"value":1}`), pipeline.Usable)
	add("base64 with null data", in64(wrong, "data", "null"), pipeline.ValueUnreadable)
	add("base64 large", in64(`{"a":`+longText(200_000)+`,"value":"x"}`), pipeline.ValueUnreadable)
	add(
		"base64 of the other alphabet",
		cloudJSON("data_base64", `"`+base64.URLEncoding.EncodeToString([]byte(`{"?":"ÿ?>~","value":"x"}`))+`"`),
		pipeline.ValueUnreadable,
	)
	encoded := func(text string, changes ...string) string {
		return cloudJSON(append([]string{
			"data", fmt.Sprintf("%q", base64.StdEncoding.EncodeToString([]byte(text))), "datacontentencoding", `"base64"`,
		}, changes...)...)
	}
	add("base64 as version 0.3 says", encoded(wrong), pipeline.ValueUnreadable)
	add(
		"base64 as version 0.3 says, in capitals",
		encoded(wrong, "datacontentencoding", `"Base64"`),
		pipeline.ValueUnreadable,
	)
	add(
		"base64 as version 0.3 says, in escapes",
		encoded(wrong, "datacontentencoding", `"base6\u0034"`),
		pipeline.ValueUnreadable,
	)
	add("base64 as version 0.3 says, broken", encoded(broken), pipeline.NotJSON)
	add(
		"base64 as version 0.3 says, of something else",
		encoded("\x00", "datacontenttype", `"image/png"`),
		pipeline.Usable,
	)
	add(
		"base64 as version 0.3 says, is none",
		cloudJSON("data", `"{}"`, "datacontentencoding", `"base64"`),
		pipeline.NotJSON,
	)
	add(
		"version 0.3 says of an object",
		cloudJSON("data", wrong, "datacontentencoding", `"base64"`),
		pipeline.ValueUnreadable,
	)
	add(
		"version 0.3 says of nothing",
		in64(wrong, "data", `""`, "datacontentencoding", `"base64"`),
		pipeline.ValueUnreadable,
	)
	add("of another encoding", encoded(wrong, "datacontentencoding", `"gzip"`), pipeline.Usable)
	add("text", cloudJSON("data", `"{\"value\":\"x\"}"`), pipeline.ValueUnreadable)
	add(
		"text as declared",
		cloudJSON("data", `"{\"value\":\"x\"}"`, "datacontenttype", `"application/json; charset=utf-8"`),
		pipeline.ValueUnreadable,
	)
	add("text in a text", cloudJSON("data", `"\"{\\\"value\\\":\\\"x\\\"}\""`), pipeline.ValueUnreadable)
	add("text of a broken object", cloudJSON("data", `"{\"value\":"`), pipeline.NotJSON)
	add(
		"text of a broken object, declared otherwise",
		cloudJSON("data", `"{\"value\":"`, "datacontenttype", `"text/plain"`),
		pipeline.Usable,
	)
	add("text of words", cloudJSON("data", `"hello"`), pipeline.Usable)
	add(
		"text of words, declared JSON",
		cloudJSON("data", `"hello"`, "datacontenttype", `"application/json"`),
		pipeline.Usable,
	)
	add("text with half an emoji", cloudJSON("data", `"{\"value\":\"\ud83d\"}"`), pipeline.NotJSON)
	add("words with half an emoji", cloudJSON("data", `"cut \ud83d"`), pipeline.Usable)
	add(
		"text with an emoji in escapes",
		cloudJSON("data", `"{\"a\":\"\\ud83d\\ude00\",\"value\":\"x\"}"`),
		pipeline.ValueUnreadable,
	)
	add("content type is no text", cloudJSON("data", `"{"`, "datacontenttype", "5"), pipeline.Usable)
}

func binaryCases(add func(name, value string, want pipeline.Code, headers ...string)) {
	add("no value", "", pipeline.Usable)
	add("data", `{"value":"12.34","currency":"EUR"}`, pipeline.Usable, "content-type", "application/json")
	add("data undeclared", ` {"value":"x"} `, pipeline.ValueUnreadable)
	add("data declared otherwise", `{"value":"x"}`, pipeline.Usable, "content-type", "text/plain")
	add(
		"data by attribute",
		`{"value":"x"}`,
		pipeline.ValueUnreadable,
		"ce_datacontenttype",
		"application/vnd.shop.order+JSON; v=1",
		"content-type",
		"<null>",
	)
	add(
		"content type before attribute",
		`{"value":"x"}`,
		pipeline.Usable,
		"ce_datacontenttype",
		"application/json",
		"content-type",
		"application/xml",
	)
	add("undeclared and broken", `{"value":`, pipeline.NotJSON)
	add("undeclared text", `customer c-2`, pipeline.Usable)
	add("undeclared text of an object", `"{\"value\":\"x\"}"`, pipeline.ValueUnreadable)
	add("declared text of an object", `"{\"value\":\"x\"}"`, pipeline.ValueUnreadable, "content-type", "application/json")
	add("declared text of a broken object", `"{\"value\":"`, pipeline.NotJSON, "content-type", "application/json")
	add("byte order mark", "\xef\xbb\xbf"+`{"value":"x"}`, pipeline.ValueUnreadable, "content-type", "application/json")
	add("undeclared and too deep", nestedArrays(65), pipeline.Usable)
	add("undeclared behind a zero byte", "\x00\x00\x00\x00\x01", pipeline.Usable)
	add("declared and broken", `{"value":`, pipeline.NotJSON, "content-type", "application/json")
	add("declared and too deep", nestedArrays(65), pipeline.NestedTooDeep, "content-type", "text/json ; charset=utf-8")
	add("declared and deepest", nestedArrays(64), pipeline.Usable, "content-type", "application/json")
	add(
		"declared and of the registry",
		"\x00\x00\x00\x00\x01{}",
		pipeline.RegistryFramed,
		"content-type",
		"application/json",
	)
	add("declared array", "[1]", pipeline.Usable, "content-type", "application/json")
	add("declared and white space", " ", pipeline.NotJSON, "content-type", "application/json")
	add("two values", "{} {}", pipeline.NotJSON, "content-type", "application/json")
	add("above the limit", longText(testRecordBytes), pipeline.RecordTooLarge)
	add("header above the limit", "", pipeline.RecordTooLarge, "ce_x", strings.Repeat("x", testRecordBytes))
	add("customer", "{}", pipeline.Usable, "ce_customer", "42")
	add("customer too long", "", pipeline.CustomerTooLong, "ce_customer", strings.Repeat("x", 257))
	add("subject not UTF-8", "", pipeline.CustomerUnreadable, "ce_subject", "\xff")
	add("subject null", "", pipeline.CustomerMissing, "ce_subject", "<null>")
	add("subject repeated", "", pipeline.Usable, "ce_subject", "\xff", "ce_subject", "c-2")
	add("no type", "", pipeline.TypeMissing, "ce_type", "")
	add("type not UTF-8", "", pipeline.TypeUnreadable, "ce_type", "\xc0\xaf")
	add("time", "", pipeline.Usable, "ce_time", "2026-03-01T10:00:00Z")
	add("time word", "", pipeline.TimeUnreadable, "ce_time", "soon")
	add("id too long", "", pipeline.IDUnreadable, "ce_id", strings.Repeat("x", 257))
	add("source not UTF-8", "", pipeline.IDUnreadable, "ce_source", "\xff")
	add("tenant too long", "", pipeline.TenantUnreadable, "ce_tenant", strings.Repeat("x", 65))
	add("tenant in data", `{"tenant":[]}`, pipeline.TenantUnreadable)
	add("names in capitals say nothing", "", pipeline.Usable, "CE_TYPE", "\xff", "ce_Type", "\xff")
	add("version taken back", "", pipeline.RecordEmpty, "ce_specversion", "<null>")
	add("version not UTF-8", "", pipeline.RecordEmpty, "ce_specversion", "\xff")
	add("damaged", "", pipeline.RecordEmpty, "ce_subject")
}

// TestDecodeEnvelopeCode covers what can be wrong with each envelope's members.
func TestDecodeEnvelopeCode(t *testing.T) {
	for _, c := range envelopeCases() {
		t.Run(c.name, func(t *testing.T) {
			if got := decodeBoth(t, decode.New(testRecordBytes), &c.record); got.Code != c.want {
				t.Errorf("code %v, want %v, of %.200q", got.Code, c.want, c.record.Value)
			}
		})
	}
}

// TestDecodeBySubject: a subject that is taken for the customer is never so in silence, whatever the data is.
func TestDecodeBySubject(t *testing.T) {
	const in64 = `"eyJjdXN0b21lciI6ImMtNyJ9"` // {"customer":"c-7"}
	binary := []string{"ce_specversion", "1.0", "ce_type", "shop.order", "ce_subject", "c-1"}
	for _, c := range []struct {
		name, value string
		headers     []string
		customer    string
		bySubject   bool
	}{
		{"nothing else", cloudJSON(), nil, "c-1", true},
		{"attribute", cloudJSON("customer", `"c-7"`), nil, "c-7", false},
		{"data", cloudJSON("data", `{"customer":"c-7"}`), nil, "c-7", false},
		{"data as a text", cloudJSON("data", `"{\"customer\":\"c-7\"}"`), nil, "c-7", false},
		{"data without a customer", cloudJSON("data", `{"customer":null}`), nil, "c-1", true},
		{"data in an array", cloudJSON("data", `[{"customer":"c-7"}]`), nil, "c-1", true},
		{"data_base64", cloudJSON("data_base64", in64), nil, "c-7", false},
		{"base64 by version 0.3", cloudJSON("data", in64, "datacontentencoding", `"base64"`), nil, "c-7", false},
		{"base64 that nothing tells of", cloudJSON("data", in64), nil, "c-1", true},
		{"partition key", cloudJSON("subject", "", "partitionkey", `"c-7"`), nil, "c-7", false},
		{"not usable", cloudJSON("type", ""), nil, "", false},
		{"flat", flatJSON("subject", `"c-9"`), nil, "c-1", false},
		{"binary", "", binary, "c-1", true},
		{"binary attribute", "", append([]string{"ce_customer", "c-7"}, binary...), "c-7", false},
		{"binary data", `{"customer":"c-7"}`, binary, "c-7", false},
		{"binary data in an array", `[{"customer":"c-7"}]`, binary, "c-1", true},
	} {
		r := pipeline.Record{Timestamp: envelopeStamp, Value: []byte(c.value)}
		if c.headers != nil {
			r.Headers = encodeHeaders(c.headers...)
		}
		if e := decodeBoth(t, decode.New(testRecordBytes), &r); e.Customer != c.customer || e.BySubject != c.bySubject {
			t.Errorf("%s: customer %q, by subject %t; want %q, %t", c.name, e.Customer, e.BySubject, c.customer, c.bySubject)
		}
	}
}

// TestDecodeEnvelopeCutOff ends every record and its headers after every byte.
func TestDecodeEnvelopeCutOff(t *testing.T) {
	d := decode.New(testRecordBytes)
	for _, c := range envelopeCases() {
		r := c.record
		for n := range min(len(r.Value), 500) {
			decodeBoth(t, d, &pipeline.Record{Timestamp: r.Timestamp, Headers: r.Headers, Value: r.Value[:n:n]})
		}
		for n := range min(len(r.Headers), 500) {
			decodeBoth(t, d, &pipeline.Record{Timestamp: r.Timestamp, Headers: r.Headers[:n:n], Value: r.Value})
		}
		d.Reset()
	}
}

// TestDecodeEnvelopeAllocations: no record allocates, usable or not.
func TestDecodeEnvelopeAllocations(t *testing.T) {
	const size = 1 << 20
	big := func(s string) string { return strings.Repeat(s, size/len(s)) }
	cases := envelopeCases()
	for name, value := range map[string]string{
		"user in escapes":     trackJSON("userId", `"`+big(`\u0041`)+`"`),
		"context of members":  trackJSON("context", `{`+big(`"groupId":"x",`)+`"a":1}`),
		"properties of names": trackJSON("properties", `{"`+big(`\t`)+`":1}`),
		"data of objects":     cloudJSON("data", `{"a":[`+big(`{},`)+`1]}`),
		"source in escapes":   cloudJSON("source", `"`+big(`\u0041`)+`"`),
	} {
		cases = append(
			cases,
			envelopeCase{name: name, record: pipeline.Record{Timestamp: envelopeStamp, Value: []byte(value)}},
		)
	}
	d, e := decode.New(0), pipeline.Event{}
	for _, c := range cases {
		if allocs := testing.AllocsPerRun(2, func() {
			d.Reset()
			d.Decode(&c.record, &e)
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", c.name, allocs)
		}
	}
	many := make([]string, 0, 200_000)
	for i := range cap(many) / 2 {
		many = append(many, "ce_subject", strconv.Itoa(i))
	}
	r := pipeline.Record{
		Headers: encodeHeaders(append(many, "ce_specversion", "1.0", "ce_type", "t", "ce_time", "1700000000")...),
	}
	if allocs := testing.AllocsPerRun(2, func() { d.Decode(&r, &e) }); allocs != 0 || string(e.Customer) != "99999" {
		t.Errorf("100,000 headers: %v allocations, customer %q", allocs, e.Customer)
	}
}
