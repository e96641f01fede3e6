package eventlog

import (
	"bytes"
	"fmt"
	"strings"

	"ebb/pipeline"
)

// CSVHeader is the first line of a CSV log. Its names may be quoted, have blanks beside them, be in capitals, and be
// separated by semicolons or tabs, as spreadsheets of some countries do it; then all fields are.
const CSVHeader = "customer_id,ts_unix_seconds,event_type,value"

// csvFields is how many fields a line has.
const csvFields = 4

// IsCSVHeader recognises the first line of a CSV log.
func IsCSVHeader(line []byte) bool { return separatorOf(line) != 0 }

// separatorOf is what separates the fields of a log with this header; 0: it is none.
func separatorOf(header []byte) byte {
	for _, separator := range []byte(",;\t") {
		fields, problem := splitCSV(header, separator)
		if problem == "" && strings.EqualFold(string(bytes.Join(fields[:], []byte(","))), CSVHeader) {
			return separator
		}
	}
	return 0
}

// namesSeparator recognises the line that spreadsheets put before the header: sep=;.
func namesSeparator(line []byte) bool {
	return len(line) == len("sep=;") && strings.EqualFold(string(line[:4]), "sep=")
}

// readCSV turns a line into the flat envelope and has the line's own decoder judge it. It returns what is wrong, or "".
func (f *File) readCSV(line []byte, e *Entry) string {
	fields, problem := splitCSV(line, f.separator)
	if problem != "" {
		return problem
	}
	f.time = append(f.time[:0], bytes.TrimSpace(second(line, f.separator))...)
	f.builder.reset()
	f.builder.text("customer", fields[0])
	f.builder.text("type", fields[2])
	f.builder.number("time", fields[1])
	f.builder.number("value", fields[3])
	if f.naming {
		f.builder.text("id", []byte(f.ids.next(f.builder.b)))
	}
	problem = f.take(f.builder.bytes(), e)
	if f.event.Code == pipeline.NotJSON {
		return "not UTF-8" // all else is ours
	}
	return problem
}

// second is the second field of a line as it stands there.
func second(line []byte, separator byte) []byte {
	_, rest, _ := cutField(line, separator)
	field, _, _ := bytes.Cut(rest, []byte{separator})
	return field
}

// splitCSV cuts a line into its fields. Blanks around a field, and within its quotes, are no part of it.
func splitCSV(line []byte, separator byte) (fields [csvFields][]byte, problem string) {
	n := 0
	for ; ; n++ {
		var field []byte
		var ok bool
		field, line, ok = cutField(line, separator)
		if n < len(fields) {
			fields[n] = field
		}
		switch {
		case !ok:
			return fields, "quotes that do not fit"
		case line == nil && (n+1 == len(fields) || n+2 == len(fields) && separator == '\t'):
			return fields, "" // the tab before a value that is missing was taken for the end of the line
		case line == nil:
			return fields, fmt.Sprintf("want %d fields (%s), found %d", len(fields), CSVHeader, n+1)
		}
	}
}

// cutField is the first field of a line and the rest behind the separator; nil: it was the last. ok is false where a
// quote is missing or has something beside it.
func cutField(line []byte, separator byte) (field, rest []byte, ok bool) {
	end := bytes.IndexByte(line, separator)
	if quote := bytes.IndexByte(line, '"'); quote >= 0 && (end < 0 || quote < end) {
		return cutQuoted(line, separator)
	}
	if end < 0 {
		return bytes.TrimSpace(line), nil, true
	}
	return bytes.TrimSpace(line[:end]), line[end+1:], true
}

// cutQuoted is cutField for a field in quotes, in which two stand for one.
func cutQuoted(line []byte, separator byte) (field, rest []byte, ok bool) {
	line = bytes.TrimLeft(line, " \t\u00a0")
	if line[0] != '"' {
		return nil, nil, false
	}
	for line = line[1:]; ; {
		end := bytes.IndexByte(line, '"')
		if end < 0 {
			return nil, nil, false
		}
		field = append(field, line[:end]...)
		if line = line[end+1:]; len(line) == 0 || line[0] != '"' {
			break
		}
		field, line = append(field, '"'), line[1:]
	}
	behind, rest, more := bytes.Cut(line, []byte{separator})
	if !more {
		rest = nil
	}
	return bytes.TrimSpace(field), rest, len(bytes.TrimSpace(behind)) == 0
}
