package decode_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring/scoringtest/golden"
)

// TestDecodeExamples compares the files of examples, one for each envelope and one for mappings, with the results for
// their records: a title, the mapping, the record's timestamp, headers and value, and after "=>" the event. They are
// written with: go test ./pipeline/decode -run DecodeExamples -update.
func TestDecodeExamples(t *testing.T) {
	for _, name := range []string{"flat", "segment", "cloudevents", "mapping"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", "envelope_"+name+".golden")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			for i, block := range strings.Split(string(b), "\n### ") {
				if i == 0 {
					out.WriteString(block)
					continue
				}
				title, rest, _ := strings.Cut(block, "\n")
				input, _, _ := strings.Cut(rest, "\n=> ")
				spec, record := exampleMapping(t, input)
				d := decode.New(testRecordBytes)
				if spec != nil {
					d = mapped(t, spec)
				}
				r := exampleRecord(t, record)
				e := decodeBothMapped(t, d, &r, spec)
				fmt.Fprintf(&out, "\n### %s\n%s\n%s", title, input, describeEvent(&e))
			}
			golden.Path(t, path, out.String())
		})
	}
}

// exampleMapping reads lines "mapping KEY: VALUE", where KEY is one of input.mapping; nil where there are none.
func exampleMapping(t *testing.T, input string) (spec *decode.MappingSpec, rest string) {
	t.Helper()
	for {
		text, ok := strings.CutPrefix(input, "mapping ")
		if !ok {
			return spec, input
		}
		if spec == nil {
			spec = &decode.MappingSpec{TimeAs: "auto", ValueAs: "decimal"}
		}
		text, input, _ = strings.Cut(text, "\n")
		key, value, _ := strings.Cut(text, ": ")
		part, kind, _ := strings.Cut(key, ".")
		parts := map[string]*decode.PartSpec{
			"customer": &spec.Customer,
			"type":     &spec.Type,
			"time":     &spec.Time,
			"value":    &spec.Value,
			"currency": &spec.Currency,
			"id":       &spec.ID,
			"tenant":   &spec.Tenant,
		}
		switch p := parts[part]; {
		case key == "records":
			spec.All = value == "all"
		case key == "time.as":
			spec.TimeAs = value
		case key == "value.as":
			spec.ValueAs = value
		case p != nil && kind == "":
			p.Paths = strings.Split(value, ", ")
		case p != nil && kind == "default":
			p.Default = value
		default:
			t.Fatalf("mapping has no %q", key)
		}
	}
}

// exampleRecord reads lines "timestamp: ...", "header NAME: ..." and then the value, which may be missing.
func exampleRecord(t *testing.T, input string) (r pipeline.Record) {
	t.Helper()
	var headers []string
	for input != "" {
		line, rest, _ := strings.Cut(input, "\n")
		if text, ok := strings.CutPrefix(line, "timestamp: "); ok {
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			r.Timestamp = at.UnixMilli()
		} else if text, ok := strings.CutPrefix(line, "header "); ok {
			name, value, _ := strings.Cut(text, ": ")
			headers = append(headers, name, value)
		} else {
			break
		}
		input = rest
	}
	if headers != nil {
		r.Headers = encodeHeaders(headers...)
	}
	r.Value = []byte(input)
	return r
}

func describeEvent(e *plainEvent) string {
	if e.Code != pipeline.Usable {
		return fmt.Sprintf("=> refused: %s\n", e.Code)
	}
	kind := "event"
	if e.Control {
		kind = "control event"
	}
	if e.Erase {
		kind = "erases"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "=> %s\n", kind)
	show := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "   %-8s  %s\n", name, text)
		}
	}
	show("customer", e.Customer)
	show("type", e.Type)
	show("time", time.UnixMilli(e.Time).UTC().Format("2006-01-02T15:04:05.000Z"))
	if e.HasValue {
		show("value", fmt.Sprintf("%d minor units of %s", e.Value, cmp.Or(e.Currency, "no currency")))
	}
	show("id", e.ID)
	if e.SourceHash != 0 {
		show("", "unique within its source")
	}
	show("tenant", e.Tenant)
	return b.String()
}

// documentSpec is the mapping of docs/events.md. A test of cmd/ebb checks that it is the document's.
func documentSpec() *decode.MappingSpec {
	return &decode.MappingSpec{
		Customer: decode.PartSpec{Paths: []string{"/user/id", "/visitor"}},
		Type:     decode.PartSpec{Paths: []string{"/event"}},
		Time:     decode.PartSpec{Paths: []string{"/at"}},
		Value:    decode.PartSpec{Paths: []string{"/cart/total_cents"}},
		Currency: decode.PartSpec{Default: "EUR"},
		ID:       decode.PartSpec{Paths: []string{"/uuid"}},
		TimeAs:   "milliseconds", ValueAs: "minor",
	}
}

// TestEventsDocument decodes the examples of docs/events.md. The mapping reads those that no envelope claims.
func TestEventsDocument(t *testing.T) {
	b, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[pipeline.Envelope]int{}
	for _, m := range regexp.MustCompile("(?s)```(json|text)\n(.*?)```").FindAllSubmatch(b, -1) {
		r := pipeline.Record{Timestamp: envelopeStamp, Value: m[2]}
		if string(m[1]) == "text" {
			r = exampleRecord(t, string(m[2]))
		}
		e := decodeBothMapped(t, mapped(t, documentSpec()), &r, documentSpec())
		order := e.Value == 1290 && e.Type == "Order Completed"
		contact := e.Control && e.Type == "identify"
		if e.Code != pipeline.Usable || e.Customer != "c-42" || !order && !contact {
			t.Errorf("%s became %+v", m[2], e)
		}
		seen[e.Envelope]++
	}
	want := map[pipeline.Envelope]int{pipeline.Flat: 2, pipeline.Segment: 1, pipeline.CloudEvent: 2, pipeline.Mapped: 1}
	if diff := gocmp.Diff(want, seen); diff != "" {
		t.Errorf("examples per envelope (-want +got):\n%s", diff)
	}
}
