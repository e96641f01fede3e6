package eventlog

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"ebb/pipeline"
)

// readCSV turns a line into the flat envelope and checks it with the line's own decoder. It returns what is wrong, or
// "".
func (f *File) readCSV(line []byte, e *Entry) string {
	fields, problem := splitCSV(line)
	if problem != "" {
		return problem
	}
	f.builder.reset()
	if f.source != "" {
		f.builder.id("id", f.source, f.Line)
	}
	f.builder.text("customer", fields[0])
	f.builder.text("type", fields[2])
	f.builder.number("time", fields[1])
	f.builder.number("value", fields[3])
	problem = f.take(f.builder.bytes(), e)
	if f.event.Code == pipeline.NotJSON {
		return "not UTF-8" // the rest is valid by construction
	}
	return problem
}

// take decodes a flat envelope into e.
func (f *File) take(value []byte, e *Entry) string {
	f.decoder.Decode(&pipeline.Record{Value: value}, &f.event)
	if f.event.Code != pipeline.Usable {
		return CodeInWords(f.event.Code)
	}
	e.Key, e.Value, e.Time = f.event.Customer, value, f.event.Time
	return ""
}

// splitCSV cuts a line into its four fields.
func splitCSV(line []byte) (fields [4][]byte, problem string) {
	if bytes.IndexByte(line, '"') >= 0 {
		return splitQuoted(line)
	}
	n := 0
	for field := range bytes.SplitSeq(line, []byte{','}) {
		if n < len(fields) {
			fields[n] = bytes.TrimSpace(field)
		}
		n++
	}
	if n != len(fields) {
		problem = fmt.Sprintf("want 4 fields (%s), found %d", CSVHeader, n)
	}
	return fields, problem
}

func splitQuoted(line []byte) (fields [4][]byte, problem string) {
	r := csv.NewReader(bytes.NewReader(line))
	texts, err := r.Read()
	if err != nil {
		return fields, "quotes that do not fit: " + err.Error()
	}
	if len(texts) != len(fields) {
		return fields, fmt.Sprintf("want 4 fields (%s), found %d", CSVHeader, len(texts))
	}
	for i := range fields {
		fields[i] = []byte(texts[i])
	}
	return fields, ""
}

// readJSON takes a line that the line's decoder accepts. It adds an id if the event has none and the place for one is
// known. It takes a JSON object of another envelope unchanged.
func (f *File) readJSON(line []byte, e *Entry) string {
	problem := f.take(line, e)
	if problem == "" {
		if len(f.event.ID) == 0 && f.source != "" && f.event.Envelope != pipeline.Mapped {
			name := "id"
			if f.event.Envelope == pipeline.Segment {
				name = "messageId"
			}
			f.builder.reset()
			f.builder.id(name, f.source, f.Line)
			f.builder.raw(line[1:]) // after the opening brace
			e.Value = f.builder.bytes()
		}
		return ""
	}
	if f.event.Code == pipeline.TimeMissing && f.takeUntimed(line, e) {
		return ""
	}
	if f.mappedAll {
		return problem
	}
	return readForeign(line, e, problem)
}

// takeUntimed takes an event without a time of its own, where the record's timestamp may stand in.
func (f *File) takeUntimed(line []byte, e *Entry) bool {
	const some = 1_767_225_600_000 // any
	f.decoder.Decode(&pipeline.Record{Value: line, Timestamp: some}, &f.event)
	if f.event.Code != pipeline.Usable {
		return false
	}
	e.Key, e.Value = f.event.Customer, line
	return true
}

// foreign holds the key and the time of other envelopes: Segment's, and CloudEvents.
type foreign struct {
	Customer          json.RawMessage `json:"customer"`
	UserID            string          `json:"userId"`
	AnonymousID       string          `json:"anonymousId"`
	Timestamp         string          `json:"timestamp"`
	OriginalTimestamp string          `json:"originalTimestamp"`
	SentAt            string          `json:"sentAt"`
	SpecVersion       string          `json:"specversion"`
	Subject           string          `json:"subject"`
	Time              string          `json:"time"`
}

// readForeign takes a JSON object that names its customer as another envelope does. flat is what is wrong with it as a
// flat one.
func readForeign(line []byte, e *Entry, flat string) string {
	var o foreign
	if err := json.Unmarshal(line, &o); err != nil || o.Customer != nil {
		return flat
	}
	key := o.UserID
	if key == "" {
		key = o.AnonymousID
	}
	if key == "" && o.SpecVersion != "" {
		key = o.Subject
	}
	if key == "" {
		return "names no customer: want customer, userId or anonymousId, or the subject of a CloudEvent"
	}
	e.Key, e.Value = []byte(key), line
	for _, text := range []string{o.Timestamp, o.OriginalTimestamp, o.SentAt, o.Time} {
		if text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return fmt.Sprintf("time %q is not RFC 3339", text)
		}
		e.Time = t.UnixMilli()
		return ""
	}
	return ""
}

// flatBuilder writes one flat JSON object.
type flatBuilder struct{ b []byte }

func (w *flatBuilder) reset() { w.b = append(w.b[:0], '{') }

// bytes closes the object, unless raw did.
func (w *flatBuilder) bytes() []byte {
	if w.b[len(w.b)-1] == ',' {
		w.b[len(w.b)-1] = '}'
	}
	return w.b
}

// id writes "source:line" under the key of an event's id.
func (w *flatBuilder) id(name, source string, line int) {
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, `":"`...)
	w.b = appendEscaped(w.b, []byte(source))
	w.b = append(w.b, ':')
	w.b = strconv.AppendInt(w.b, int64(line), 10)
	w.b = append(w.b, `",`...)
}

func (w *flatBuilder) text(name string, value []byte) {
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, `":"`...)
	w.b = appendEscaped(w.b, value)
	w.b = append(w.b, `",`...)
}

// number writes a bare number where value is a number in JSON's grammar, else its text, which the decoder then checks.
func (w *flatBuilder) number(name string, value []byte) {
	if len(value) == 0 {
		return
	}
	if !plainNumber(value) {
		w.text(name, value)
		return
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, `":`...)
	w.b = append(w.b, value...)
	w.b = append(w.b, ',')
}

func (w *flatBuilder) raw(rest []byte) { w.b = append(w.b, rest...) }

// plainNumber reports whether b is a JSON number without exponent.
func plainNumber(b []byte) bool {
	digits := bytes.TrimPrefix(b, []byte{'-'})
	whole, fraction, pointed := bytes.Cut(digits, []byte{'.'})
	if len(whole) > 1 && whole[0] == '0' {
		return false
	}
	return onlyDigits(whole) && (!pointed || onlyDigits(fraction))
}

func onlyDigits(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	return len(b) > 0
}

// appendEscaped appends text as the inside of a JSON string. It keeps bytes that are no UTF-8, and the decoder refuses
// them.
func appendEscaped(dst, text []byte) []byte {
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			return appendMarshaled(dst, text)
		}
	}
	return append(dst, text...)
}

func appendMarshaled(dst, text []byte) []byte {
	if !utf8.Valid(text) {
		return append(dst, text...)
	}
	quoted, err := json.Marshal(string(text))
	if err != nil {
		panic("BUG: a string is JSON: " + err.Error())
	}
	return append(dst, quoted[1:len(quoted)-1]...)
}
