package eventlog

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/pipeline/decode"
	"ebb/scoring/pack"
)

// idsOf are the ids of the events of a log, as the decoder reads them from what is sent.
func idsOf(t *testing.T, name, text string, m *config.Mapping) (found []string) {
	t.Helper()
	f, err := Open(writeFile(t, name, text), nil, &config.Input{Mapping: *m})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var e Entry
	for f.Next(&e) == nil {
		sent := string(e.Value)
		if f.take(e.Value, &e) != "" || !json.Valid([]byte(sent)) {
			t.Fatalf("%s is unusable", sent)
		}
		found = append(found, string(f.event.ID))
	}
	return found
}

// TestIDsAreOfTheLine: the same line has the same id in whatever file, and another line never has it.
func TestIDsAreOfTheLine(t *testing.T) {
	const first, second = "q1,1794700801,Order Completed,10.00\nq2,1794700802,Order Completed,10.00\n",
		"q1,1795305601,Order Completed,20.00\nq2,1795305602,Order Completed,20.00\n"
	none := &config.Mapping{}
	week1 := idsOf(t, "report.csv", CSVHeader+"\n"+first, none)
	week2 := idsOf(t, "report.csv", CSVHeader+"\n"+second, none)
	for _, id := range week2 {
		if strings.Contains(strings.Join(week1, " "), id) {
			t.Errorf("%s is in both weeks", id)
		}
	}
	for name, text := range map[string]string{
		"again.csv":     CSVHeader + "\n" + first,
		"packed.csv.gz": CSVHeader + "\n" + first,
		"windows.csv":   "\ufeff" + strings.ReplaceAll(CSVHeader+"\n"+first, "\n", "\r\n"),
		"quoted.csv":    `"customer_id","ts_unix_seconds","event_type","value"` + "\n" + strings.ReplaceAll(first, "Order Completed", `"Order Completed"`),
		"blank.csv":     CSVHeader + "\n\n" + strings.ReplaceAll(first, ",", " , "),
		"grown.csv":     CSVHeader + "\n" + first + "q9,1794700803,Order Completed,1\n",
		"rest.csv":      CSVHeader + "\nq0,1794700800,visit,\n" + first,
	} {
		if got := strings.Join(idsOf(t, name, text, none), " "); !strings.Contains(got, strings.Join(week1, " ")) {
			t.Errorf("%s has the ids %s, want %v among them", name, got, week1)
		}
	}
}

// TestIDsOfLinesThatAreAlike tells them apart, and finds them again.
func TestIDsOfLinesThatAreAlike(t *testing.T) {
	line := "q1,1794700801,purchase,1\n"
	text := CSVHeader + "\n" + line + "q2,1794700801,purchase,1\n" + line + line
	got := idsOf(t, "a.csv", text, &config.Mapping{})
	if len(got) != 4 || got[0] == got[1] || got[2] != got[0]+":2" || got[3] != got[0]+":3" {
		t.Errorf("ids %q", got)
	}
	if diff := cmp.Diff(got, idsOf(t, "b.csv", text, &config.Mapping{})); diff != "" {
		t.Errorf("sent again:\n%s", diff)
	}
}

// TestIDsForget what was long ago, and number what was not.
func TestIDsForget(t *testing.T) {
	var m ids
	first := m.next([]byte("x"))
	for i := range idWindow {
		m.next(fmt.Appendf(nil, "%d", i))
	}
	if got := m.next([]byte("x")); got != first+":2" {
		t.Errorf("%s after %d lines, want %s:2", got, idWindow, first)
	}
	for i := range 3 * idWindow {
		m.next(fmt.Appendf(nil, "%d", i))
	}
	if got := m.next([]byte("x")); got != first || len(m.newer)+len(m.older) > 2*idWindow {
		t.Errorf("%s after %d more, of %d kept", got, 3*idWindow, len(m.newer)+len(m.older))
	}
}

// TestNoIDIsNone: null and the empty string are no id, in whatever envelope; a number is one.
func TestNoIDIsNone(t *testing.T) {
	mapping := func(id ...string) *config.Mapping {
		spec := decode.MappingSpec{
			Customer: decode.PartSpec{
				Paths: []string{"/who"},
			},
			Type:    decode.PartSpec{Default: "visit"},
			Time:    decode.PartSpec{Paths: []string{"/at"}},
			ID:      decode.PartSpec{Paths: id},
			TimeAs:  "auto",
			ValueAs: "decimal",
		}
		m, err := decode.NewMapping(&spec)
		if err != nil {
			t.Fatal(err)
		}
		return &config.Mapping{Records: "other", Parts: spec, Compiled: m}
	}
	for _, c := range []struct {
		line, want string
		mapping    *config.Mapping
	}{
		{`{"customer":"n","type":"x","time":1772357400}`, "made", nil},
		{`{"id":null,"customer":"n","type":"x","time":1772357400}`, "made", nil},
		{`{"customer":"n","type":"x","time":1772357400,"id":""}`, "made", nil},
		{`{"customer":"n","type":"x","time":1772357400,"id" : "" }`, "made", nil},
		{`{"customer":"n","type":"x","time":1772357400,"id":"e","id":null}`, "made", nil},
		{`{"customer":"n","type":"x","time":1772357400,"\u0069d":""}`, "made", nil},
		{`{"id":0,"customer":"n","type":"x","time":1772357400}`, "0", nil},
		{`{"id":"null","customer":"n","type":"x","time":1772357400}`, "null", nil},
		{`{"type":"track","event":"x","userId":"n","messageId":null,"timestamp":1772357400}`, "made", nil},
		{`{"type":"page","userId":"n","messageId":"","timestamp":1772357400}`, "made", nil},
		{`{"type":"page","userId":"n","messageId":17,"timestamp":1772357400}`, "17", nil},
		{`{"specversion":"1.0","id":"","source":"/s","type":"x","subject":"n","time":"2026-03-01T09:30:00Z"}`, "made", nil},
		{`{"specversion":"1.0","id":null,"source":"/s","type":"x","subject":"n","time":"2026-03-01T09:30:00Z"}`, "made", nil},
		{`{"specversion":"1.0","source":"/s","type":"x","subject":"n","time":"2026-03-01T09:30:00Z"}`, "made", nil},
		{`{"who":"n","at":1772357400,"uuid":null}`, "made", mapping("/uuid")},
		{`{"who":"n","at":1772357400,"uuid":""}`, "made", mapping("/uuid")},
		{`{"who":"n","at":1772357400,"uuid":7}`, "7", mapping("/uuid")},
		{`{"who":"n","at":1772357400}`, "made", mapping("/$insert_id", "/uuid")},
		{`{"who":"n","at":1772357400,"meta":{"v":1,"id":null}}`, "made", mapping("/meta/id")},
		{`{"who":"n","at":1772357400,"meta":{}}`, "made", mapping("/meta/id")},
		{`{"who":"n","at":1772357400,"meta":null}`, "made", mapping("/meta/a~1b")},
		{`{"who":"n","at":1772357400}`, "made", mapping("/meta/id")},
		{`{"who":"n","at":1772357400,"meta":7}`, "", mapping("/meta/id")}, // no id can stand there
		{`{"who":"n","at":1772357400,"meta":[]}`, "", mapping("/meta/0")},
		{`{"who":"n","at":1772357400}`, "", mapping()},
	} {
		m := c.mapping
		if m == nil {
			m = &config.Mapping{}
		}
		got := idsOf(t, "n.ndjson", c.line+"\n", m)
		if len(got) != 1 {
			t.Fatalf("%s gave %q", c.line, got)
		}
		if made := madeUp().MatchString(got[0]); made != (c.want == "made") || !made && got[0] != c.want {
			t.Errorf("%s has the id %q, want %s", c.line, got[0], c.want)
		}
	}
}

// TestSpreadsheets reads what they export.
func TestSpreadsheets(t *testing.T) {
	want := []string{
		`c9 1795305601000 {"customer":"c9","type":"Order Completed","time":1795305601,"value":20.00,"id":"line:#"}`,
		`c9 1795305602000 {"customer":"c9","type":"Order Completed","time":1795305602,"value":20.00,"id":"line:#"}`,
		`c9 1795305603000 {"customer":"c9","type":"Say \"hi\", all","time":1795305603,"id":"line:#"}`,
	}
	for name, text := range map[string]string{
		"blanks":      "customer_id,ts_unix_seconds,event_type,value\nc9 ,1795305601,Order Completed,20.00\n\"c9\" , 1795305602 ,\"Order Completed\", 20.00\n c9\t,1795305603,\"Say \"\"hi\"\", all\",\n",
		"padded":      "customer_id,ts_unix_seconds,event_type,value\n\"c9   \",1795305601,\"Order Completed \",20.00\n\u00a0c9\u00a0,1795305602,Order Completed,20.00\nc9,1795305603,\" Say \"\"hi\"\", all\",\"\"\n",
		"quoted":      "\ufeff\"customer_id\",\"ts_unix_seconds\",\"event_type\",\"value\"\r\n\"c9\",\"1795305601\",\"Order Completed\",\"20.00\"\r\n\"c9\",\"1795305602\",\"Order Completed\",\"20.00\"\r\n\"c9\",\"1795305603\",\"Say \"\"hi\"\", all\",\"\"\r\n",
		"half quoted": "customer_id , \"ts_unix_seconds\",Event_Type,VALUE\nc9,1795305601,Order Completed,20.00\nc9,\"1795305602\",Order Completed,20.00\nc9,1795305603,\"Say \"\"hi\"\", all\",\n",
		"semicolons":  "sep=;\r\ncustomer_id;ts_unix_seconds;event_type;value\r\nc9;1795305601;Order Completed;20.00\r\nc9;1795305602;Order Completed;20.00\r\nc9;1795305603;\"Say \"\"hi\"\", all\";\r\n",
		"tabs":        "customer_id\tts_unix_seconds\tevent_type\tvalue\nc9\t1795305601\tOrder Completed\t20.00\nc9 \t1795305602\tOrder Completed\t20.00\nc9\t1795305603\t\"Say \"\"hi\"\", all\"\t\n",
		"joined":      "customer_id,ts_unix_seconds,event_type,value\nc9,1795305601,Order Completed,20.00\n\ufeffc9,1795305602,Order Completed,20.00\n\ufeff\"c9\",1795305603,\"Say \"\"hi\"\", all\",\n",
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, readLog(t, writeFile(t, "x.csv", text), nil)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for line, want := range map[string]string{
		`"c9,1,x,1`: "quotes that do not fit", `"c"9,1,x,1`: "quotes that do not fit", `c"9,1,x,1`: "quotes that do not fit",
		`"c9"x,1,x,1`: "quotes that do not fit", `c9,1,x`: "found 3", `c9,1,x,1,`: "found 5", `c9,1,x,"1",""`: "found 5",
	} {
		got := readLog(t, "-", strings.NewReader(CSVHeader+"\n"+line+"\n"))
		if len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s gave %q, want %s", line, got, want)
		}
	}
}

// TestRefusesUTF16: a log in UTF-16 is named as such, with a byte order mark or without, and the command that is advised
// makes UTF-8 of it.
func TestRefusesUTF16(t *testing.T) {
	lines := `{"customer":"7","type":"t","time":1300000000}` + "\n" + `{"customer":"é","type":"t","time":1300000000}` + "\n"
	for name, encode := range map[string]func(text string) []byte{
		"marked, little.log":     func(text string) []byte { return utf16In(binary.LittleEndian, "\ufeff"+text) },
		"marked, big.log":        func(text string) []byte { return utf16In(binary.BigEndian, "\ufeff"+text) },
		"little.log":             func(text string) []byte { return utf16In(binary.LittleEndian, text) },
		"big.log":                func(text string) []byte { return utf16In(binary.BigEndian, text) },
		"packed, it's little.gz": func(text string) []byte { return packed(t, string(utf16In(binary.LittleEndian, text))) },
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, encode(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, nil, &config.Input{})
		advised, ok := errors.AsType[advice.Advised](err)
		if !ok || !strings.HasSuffix(err.Error(), name+" is UTF-16") {
			t.Errorf("%s: error %v", name, err)
			continue
		}
		_, line, _ := strings.Cut(advised.Do, "\n")
		command := exec.CommandContext(t.Context(), "sh", "-c", line)
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s: %s: %v %s", name, line, err, out)
		}
		if got := readLog(t, filepath.Join(dir, "utf8.log"), nil); len(got) != 2 || !strings.HasPrefix(got[1], "é ") {
			t.Errorf("%s: after %s: %q", name, line, got)
		}
	}
	if _, err := Open("-", strings.NewReader("\xff\xfec\x00u\x00"), &config.Input{}); err == nil ||
		!strings.Contains(err.Error(), "stdin is UTF-16") {
		t.Errorf("error %v", err)
	}
	for _, other := range []string{"\x00\x00\x00\x00\x01abcdefgh", "", "{}", "\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if got := utf16Of([]byte(other)); got != "" {
			t.Errorf("%q is %s", other, got)
		}
	}
}

// utf16In is text in UTF-16.
func utf16In(order binary.AppendByteOrder, text string) (b []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return b
}

// TestCutInAHeader: a gzipped log that ends in the middle, be it in gzip's header or the log's, is called that.
func TestCutInAHeader(t *testing.T) {
	line := "7,1300000000,purchase,12.50\n"
	whole := packed(t, CSVHeader+"\n"+line+line)
	for name, data := range map[string][]byte{
		"gzip's header": whole[:5],
		"nothing of it": whole[:12],
		"CSV header":    packedPart(t, CSVHeader[:12]),
		"JSON":          packedPart(t, `{"customer":"7","ty`),
	} {
		got := readLog(t, "-", bytes.NewReader(data))
		if len(got) != 1 || !strings.Contains(got[0], "the file is cut short") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// packedPart is the beginning of a gzipped file, up to where text has been written.
func packedPart(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestByteOrderMarks are passed over before a log of either kind and before a line.
func TestByteOrderMarks(t *testing.T) {
	line := `{"id":"e","customer":"7","type":"t","time":1300000000}`
	for name, in := range map[string]io.Reader{
		"log":    strings.NewReader("\ufeff" + line + "\n" + line),
		"lines":  strings.NewReader(line + "\n\ufeff" + line + "\n"),
		"joined": strings.NewReader("\ufeff" + line + "\r\n\ufeff" + line),
		"packed": strings.NewReader(string(packed(t, "\ufeff"+line+"\n"+line))),
	} {
		if diff := cmp.Diff([]string{"7 1300000000000 " + line, "7 1300000000000 " + line}, readLog(t, "-", in)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestSizeOfRecords: what is too large for the processor is refused, the id that it is given included.
func TestSizeOfRecords(t *testing.T) {
	line := `{"customer":"7","type":"t","time":1300000000,"note":"` + strings.Repeat("x", 900) + `"}`
	f, err := Open(writeFile(t, "l.ndjson", line+"\n"), nil, &config.Input{MaxRecordBytes: int64(len(line) + 20)})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	k, err := pack.Load("any", nil, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	f.ReadAs(k)
	var e Entry
	want := regexp.MustCompile(`l.ndjson:1: larger than a record may be \(input.max_record_bytes: \d+\)`)
	if err := f.Next(&e); err == nil || !want.MatchString(err.Error()) {
		t.Errorf("error %v", err)
	}
}
