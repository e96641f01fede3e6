package eventlog

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"ebb/pipeline"
)

// take decodes a record into e.
func (f *File) take(value []byte, e *Entry) string {
	f.decoder.Decode(&pipeline.Record{Value: value}, &f.event)
	if f.event.Code != pipeline.Usable {
		return f.inWords(f.event.Code)
	}
	e.Key, e.Value, e.Time = f.event.Customer, value, f.event.Time
	return ""
}

// readJSON takes a line that the line's decoder takes, with an id if it has none. It returns what is wrong, or "".
func (f *File) readJSON(line []byte, e *Entry) string {
	problem := f.take(line, e)
	switch {
	case problem == "":
		if len(f.event.ID) == 0 && f.naming {
			e.Value = f.named(line)
		}
		return ""
	case f.event.Code == pipeline.TimeMissing && f.takeUntimed(line, e):
		return ""
	case f.event.Code == pipeline.CustomerMissing && !f.input.Mapping.All():
		return problem + ": want customer, userId or anonymousId, or the subject of a CloudEvent"
	}
	return problem
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

// flatBuilder writes one flat JSON object.
type flatBuilder struct{ b []byte }

func (w *flatBuilder) reset() { w.b = append(w.b[:0], '{') }

// bytes closes the object.
func (w *flatBuilder) bytes() []byte {
	if w.b[len(w.b)-1] == ',' {
		w.b[len(w.b)-1] = '}'
	}
	return w.b
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
