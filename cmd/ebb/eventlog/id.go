package eventlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"ebb/pipeline"
)

// ids makes ids for events that have none. An id is a hash of what the line says, so that an event has the same one
// whenever and in whatever file it is sent, and another event never has it: weekly reports of one name hold different
// lines. Lines that are alike are so many events, and are numbered within their file, if no more than idWindow to
// twice as many lines lie between them.
type ids struct {
	newer, older map[[8]byte]int // how often a line was there
}

// idWindow bounds the memory of ids, in lines.
const idWindow = 1 << 18

// next is the id of the next event of a file, of which the line says content.
func (m *ids) next(content []byte) string {
	const size = 12 // bytes of the hash: chance does not find the same twice
	sum := sha256.Sum256(content)
	key := [8]byte(sum[:])
	if m.newer == nil || len(m.newer) == idWindow {
		m.newer, m.older = map[[8]byte]int{}, m.newer
	}
	n := max(m.newer[key], m.older[key]) + 1
	m.newer[key] = n
	id := "line:" + hex.EncodeToString(sum[:size])
	if n > 1 {
		id += ":" + strconv.Itoa(n)
	}
	return id
}

// named is the line of an event with an id in it, where it belongs; the line as it is, where no id can be told there.
func (f *File) named(line []byte) []byte {
	var path []string
	switch f.event.Envelope {
	case pipeline.Segment:
		path = []string{"messageId"}
	case pipeline.Mapped:
		path = f.idPath
	default:
		path = []string{"id"}
	}
	if len(path) == 0 {
		return line
	}
	f.builder.reset()
	out, ok := withText(f.builder.b[:0], line, path, f.ids.next(line))
	f.builder.b = out
	if !ok {
		return line
	}
	return out
}

// pointerSteps takes a JSON pointer of the mapping apart.
func pointerSteps(path string) []string {
	steps := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i := range steps {
		steps[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(steps[i])
	}
	return steps
}

// withText appends an object with a text where the names in path lead to. Objects on the way that are missing or null
// are made. ok is false where something else stands in the way.
func withText(dst, object []byte, path []string, text string) (out []byte, ok bool) {
	from, to, ok := memberAt(object, path[0])
	if !ok {
		return dst, false
	}
	if from < 0 { // there is no such member
		end := bytes.LastIndexByte(object, '}')
		dst = append(dst, object[:end]...)
		if last := bytes.TrimRight(object[:end], " \t\r\n"); last[len(last)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), appendEscaped(nil, []byte(path[0]))...), `":`...)
		if dst, ok = appendText(dst, []byte("{}"), path[1:], text); !ok {
			return dst, false
		}
		return append(dst, object[end:]...), true
	}
	dst = append(dst, object[:from]...)
	if dst, ok = appendText(dst, object[from:to], path[1:], text); !ok {
		return dst, false
	}
	return append(dst, object[to:]...), true
}

// appendText appends the value old, in which a text is to stand where path leads to.
func appendText(dst, old []byte, path []string, text string) (out []byte, ok bool) {
	if len(path) == 0 {
		return append(append(append(dst, '"'), text...), '"'), true
	}
	if string(old) == "null" {
		old = []byte("{}")
	}
	return withText(dst, old, path, text)
}

// memberAt is where the value of an object's last member of that name stands; from is -1 where it has none. ok is false
// where b is no object.
func memberAt(b []byte, name string) (from, to int, ok bool) {
	if b[0] != '{' {
		return -1, -1, false
	}
	if !bytes.Contains(b, []byte(name)) && bytes.IndexByte(b, '\\') < 0 {
		return -1, -1, true
	}
	d := json.NewDecoder(bytes.NewReader(b))
	from = -1
	_, err := d.Token() // the brace
	for err == nil && d.More() {
		var found json.Token
		if found, err = d.Token(); err != nil {
			break
		}
		var value json.RawMessage
		if err = d.Decode(&value); found == json.Token(name) {
			to = int(d.InputOffset())
			from = to - len(value)
		}
	}
	return from, to, err == nil
}
