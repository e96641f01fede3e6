package eventlog

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// writeFile writes a log to a file, gzipped if its name ends so, and returns the path.
func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	data := []byte(text)
	if strings.HasSuffix(name, ".gz") {
		data = packed(t, text)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func packed(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readLog reads a log to its end as lines "key time value"; a line that cannot be used is its error.
func readLog(t testing.TB, path string, stdin io.Reader) []string {
	t.Helper()
	f, err := Open(path, stdin, &config.Input{})
	if err != nil {
		return []string{err.Error()}
	}
	defer f.Close()
	var lines []string
	var e Entry
	for {
		err := f.Next(&e)
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err == nil {
			lines = append(lines, madeUp().ReplaceAllString(fmt.Sprintf("%s %d %s", e.Key, e.Time, e.Value), "line:#"))
			continue
		}
		lines = append(lines, strings.TrimPrefix(err.Error(), filepath.Dir(path)+"/"))
		if !errors.As(err, new(*LineError)) {
			return lines
		}
	}
}

// madeUp matches ids that are made of a line.
func madeUp() *regexp.Regexp { return regexp.MustCompile(`line:[0-9a-f]{24}`) }

func TestReadsBothFormats(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             []string
	}{
		{
			"csv",
			"shop.csv",
			CSVHeader + "\n7,1300000000,purchase,12.50\n8,1300000001,return,-4\n9,1300000002,visit,\n",
			[]string{
				`7 1300000000000 {"customer":"7","type":"purchase","time":1300000000,"value":12.50,"id":"line:#"}`,
				`8 1300000001000 {"customer":"8","type":"return","time":1300000001,"value":-4,"id":"line:#"}`,
				`9 1300000002000 {"customer":"9","type":"visit","time":1300000002,"id":"line:#"}`,
			},
		},
		{
			"csv of another system",
			"w.csv.gz",
			"\xef\xbb\xbf" + CSVHeader + "\r\n\r\n7,1300000000,purchase,1\r\n\"a,b \"\"c\",1300000000,\"Order " +
				"\\ Completed\",\"2\"",
			[]string{
				`7 1300000000000 {"customer":"7","type":"purchase","time":1300000000,"value":1,"id":"line:#"}`,
				`a,b "c 1300000000000 {"customer":"a,b \"c","type":"Order \\ Completed","time":1300000000,"value":2,"id":"line:#"}`,
			},
		},
		{
			"csv with bad lines",
			"b.csv",
			CSVHeader + "\n7,1300000000,purchase\n,1300000000,purchase,1\n7,yesterday,purchase,1\n7,1,purchase,1\n7,1300000000,,1\n7,1300000000,purchase,1.234\n7,1300000000,purchase,1e3\n7,1300000000,purchase,007\n\"7,1300000000,purchase,1\n\xff,1300000000,purchase,1\n7,1300000000,last,0.10\n",
			[]string{
				"b.csv:2: want 4 fields (customer_id,ts_unix_seconds,event_type,value), found 3",
				"b.csv:3: names no customer",
				"b.csv:4: the time is neither RFC 3339 nor seconds or milliseconds since 1970",
				"b.csv:5: the time lies before 1971 or after 2200",
				"b.csv:6: has no event type",
				"b.csv:7: the value is no decimal number with at most the decimals of its currency (two, unless it says otherwise)",
				`7 1300000000000 {"customer":"7","type":"purchase","time":1300000000,"value":"1e3","id":"line:#"}`,
				"b.csv:9: the value is no decimal number with at most the decimals of its currency (two, unless it says otherwise)",
				"b.csv:10: quotes that do not fit",
				"b.csv:11: not UTF-8",
				`7 1300000000000 {"customer":"7","type":"last","time":1300000000,"value":0.10,"id":"line:#"}`,
			},
		},
		{
			"flat json",
			"f.ndjson",
			`{"customer":"7","type":"purchase","time":"2011-03-13T07:06:40Z"}` + "\n\n" + ` {"id":"e1","customer":8,"type":"purchase","time":1300000000123,"value":"12.5","currency":"EUR"} ` + "\n",
			[]string{
				`7 1300000000000 {"customer":"7","type":"purchase","time":"2011-03-13T07:06:40Z","id":"line:#"}`,
				`8 1300000000123 {"id":"e1","customer":8,"type":"purchase","time":1300000000123,"value":"12.5","currency":"EUR"}`,
			},
		},
		{
			"other envelopes",
			"o.jsonl.gz",
			strings.Join([]string{
				`{"type":"track","event":"Order Completed","userId":"u1","anonymousId":"x","messageId":"m","timestamp":"2011-03-13T07:06:40.5Z"}`,
				`{"type":"track","event":"Order Completed","anonymousId":"x","originalTimestamp":"2011-03-13T08:06:40+01:00"}`,
				`{"type":"track","event":"Order Completed","userId":"u1"}`,
				`{"specversion":"1.0","id":"1","source":"/shop","type":"purchase","subject":"c9","time":"2011-03-13T07:06:40Z"}`,
			}, "\n"),
			[]string{
				`u1 1300000000500 {"type":"track","event":"Order Completed","userId":"u1","anonymousId":"x","messageId":"m","timestamp":"2011-03-13T07:06:40.5Z"}`,
				`x 1300000000000 {"type":"track","event":"Order Completed","anonymousId":"x","originalTimestamp":"2011-03-13T08:06:40+01:00","messageId":"line:#"}`,
				"o.jsonl.gz:3: has no event time",
				`c9 1300000000000 {"specversion":"1.0","id":"1","source":"/shop","type":"purchase","subject":"c9","time":"2011-03-13T07:06:40Z"}`,
			},
		},
		{
			"json with bad lines",
			"j.ndjson",
			strings.Join([]string{
				`{"customer":"7"}`,
				`{"customer":"7","type":"x","time":"soon"}`,
				`{"event":"x"}`,
				`{"customer":`,
				`[1]`,
				`{"userId":"u","timestamp":"soon"}`,
				`{"customer":"7","type":"x","time":1300000000,"value":"ten"}`,
				`{"specversion":"1.0","id":"1"}`,
			}, "\n"),
			[]string{
				"j.ndjson:1: has no event type",
				"j.ndjson:2: the time is neither RFC 3339 nor seconds or milliseconds since 1970",
				"j.ndjson:3: names no customer: want customer, userId or anonymousId, or the subject of a CloudEvent",
				"j.ndjson:4: not a JSON object, or not UTF-8",
				"j.ndjson:5: not a JSON object, or not UTF-8",
				"j.ndjson:6: names no customer: want customer, userId or anonymousId, or the subject of a CloudEvent",
				"j.ndjson:7: the value is no decimal number with at most the decimals of its currency (two, unless it says " +
					"otherwise)",
				"j.ndjson:8: names no customer: want customer, userId or anonymousId, or the subject of a CloudEvent",
			},
		},
		{
			"neither",
			"x.txt",
			"id;when\n1;2\n",
			[]string{
				`x.txt:1: neither a JSON object nor the CSV header "customer_id,ts_unix_seconds,event_type,value", found "id;when"`,
			},
		},
		{"empty", "e.csv", "\n \n", nil},
		{"header alone", "h.csv", CSVHeader, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, test.file, test.text)
			got := readLog(t, path, nil)
			for i := range got {
				got[i] = strings.TrimPrefix(got[i], filepath.Dir(path)+"/")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGivesNoIdsToStandardInput(t *testing.T) {
	want := []string{`7 1300000000000 {"customer":"7","type":"purchase","time":1300000000,"value":1}`}
	for name, in := range map[string]io.Reader{
		"plain":   strings.NewReader(CSVHeader + "\n7,1300000000,purchase,1\n"),
		"gzipped": bytes.NewReader(packed(t, CSVHeader+"\n7,1300000000,purchase,1\n")),
		"flat":    strings.NewReader(want[0][len("7 1300000000000 "):]),
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, readLog(t, "-", in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLongLines(t *testing.T) {
	note := strings.Repeat("x", 2*lineBuffer)
	line := `{"id":"a","customer":"7","type":"t","time":1300000000,"note":"` + note + `"}`
	tooLong := `{"id":"b","note":"` + strings.Repeat("y", maxLine) + `"}`
	path := writeFile(t, "long.ndjson", line+"\n"+tooLong+"\n"+line+"\n")
	want := []string{"7 1300000000000 " + line, "long.ndjson:2: longer than 64MiB", "7 1300000000000 " + line}
	if got := readLog(t, path, nil); !cmp.Equal(want, got) {
		for _, g := range got {
			t.Errorf("%.80s… (%d bytes)", g, len(g))
		}
	}
}

func TestCutShort(t *testing.T) {
	whole := packed(t, CSVHeader+"\n"+strings.Repeat("7,1300000000,purchase,1\n", 100))
	path := writeFile(t, "cut.csv", string(whole[:len(whole)-12]))
	got := readLog(t, path, nil)
	if last := got[len(got)-1]; !strings.Contains(last, "the file is cut short") {
		t.Errorf("last: %s", last)
	}
	_, err := Open(filepath.Join(t.TempDir(), "none.csv"), nil, &config.Input{})
	if err == nil || !strings.HasSuffix(err.Error(), "none.csv: no such file or directory") {
		t.Errorf("error: %v", err)
	}
}

func TestEveryCodeThatALineCanHaveIsPutInWords(t *testing.T) {
	for c := pipeline.NotJSON; c < pipeline.RecordTooLarge; c++ {
		if CodeInWords(c) == c.String() {
			t.Errorf("%s has no words", c)
		}
	}
}

func FuzzLogFile(f *testing.F) {
	f.Add([]byte(CSVHeader + "\n7,1300000000,purchase,1\n\"a\",2,\"b\",3\n"))
	f.Add([]byte(`{"customer":"7","type":"x","time":1300000000}` + "\n{}\n"))
	f.Add(packed(f, "{\"userId\":1}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		log, err := Open("-", bytes.NewReader(data), &config.Input{})
		if err != nil {
			return
		}
		log.naming = true
		decoder := decode.New(0)
		for last := 0; ; {
			var e Entry
			err := log.Next(&e)
			if err != nil && !errors.As(err, new(*LineError)) {
				return
			}
			if log.Line <= last {
				t.Fatalf("line %d after line %d", log.Line, last)
			}
			last = log.Line
			if err != nil {
				continue
			}
			if !json.Valid(e.Value) || len(e.Key) == 0 {
				t.Fatalf("key %q, value %q", e.Key, e.Value)
			}
			var event pipeline.Event
			decoder.Reset()
			decoder.Decode(&pipeline.Record{Value: e.Value}, &event)
			if event.Code == pipeline.Usable && (string(event.Customer) != string(e.Key) || event.Time != e.Time) {
				t.Fatalf("key %q and time %d of %q", e.Key, e.Time, e.Value)
			}
		}
	})
}

func BenchmarkLogFile(b *testing.B) {
	const lines = 100_000
	var csv, flat strings.Builder
	csv.WriteString(CSVHeader + "\n")
	for i := range lines {
		fmt.Fprintf(&csv, "%d,%d,purchase,%d.50\n", i%5000, 1_300_000_000+i, i%90)
		fmt.Fprintf(
			&flat,
			`{"id":"e%d","customer":"c%d","type":"Order Completed","time":%q,"value":%d.50,"currency":"EUR"}`+"\n",
			i,
			i%5000,
			time.Unix(int64(1_300_000_000+i), 0).UTC().Format(time.RFC3339),
			i%90,
		)
	}
	for name, text := range map[string]string{"csv": csv.String(), "json": flat.String()} {
		b.Run(name, func(b *testing.B) {
			path := writeFile(b, "bench", text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				f, err := Open(path, nil, &config.Input{})
				if err != nil {
					b.Fatal(err)
				}
				var e Entry
				for f.Next(&e) == nil {
					n++
				}
				f.Close()
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
