package decode

import (
	"bytes"

	"ebb/pipeline"
)

// The data of a CloudEvent, where it is not simply an object: JSON in base64, as libraries send what they were given as
// bytes, or JSON as a text, as it comes about where somebody has written it before.

// promise is what an event says of its data beforehand.
type promise uint8

const (
	promisedOther promise = iota // something else than JSON
	promisedNothing
	promisedJSON
)

// packedData finds the object in the data of an event in structured mode, whose member data is none. It returns the
// object and the text it stands in; no object, where the data is something else. The code says why data that was to be
// JSON cannot be read.
func (d *Decoder) packedData(b []byte, data jsonToken) (value []byte, object jsonToken, c pipeline.Code) {
	p := d.promised(b)
	packed := d.top.get(memberDataBase64)
	switch {
	case data.isText() && d.encoded(b):
		packed = data
	case !data.absent() || packed.absent():
		return d.unwrapData(b, data, p)
	}
	text, ok := d.fromBase64(b, packed)
	switch {
	case ok && len(text) > 0:
		return d.readData(text, p)
	case !ok && p == promisedJSON:
		return b, jsonToken{}, pipeline.NotJSON
	}
	return b, jsonToken{}, pipeline.Usable
}

// promised is what the attribute datacontenttype says of the data; where it is missing, that it is JSON.
func (d *Decoder) promised(b []byte) promise {
	const longest = 256
	t := d.top.get(memberDataContentType)
	if t.absent() {
		return promisedJSON
	}
	if mediaType, fault := d.text(b, t, longest, false); fault == textFine && isJSON(mediaType) {
		return promisedJSON
	}
	return promisedOther
}

// encoded reports whether the data is a text in base64, as version 0.3 of the specification says it: by an attribute.
func (d *Decoder) encoded(b []byte) bool {
	name, fault := d.text(b, d.top.get(memberDataContentEncoding), len("base64"), false)
	return fault == textFine && bytes.EqualFold(name, []byte("base64"))
}

// readData reads a text that is the whole data. Of which nothing was said, it is data if it is JSON; what begins as an
// object does, is to be one.
func (d *Decoder) readData(text []byte, p promise) (value []byte, object jsonToken, c pipeline.Code) {
	text = unmarked(text)
	t, c := scanDocument(text)
	switch {
	case c == pipeline.Usable:
		return d.unwrapData(text, t, p)
	case p == promisedJSON || p == promisedNothing && beginsObject(text):
		return text, jsonToken{}, c
	}
	return text, jsonToken{}, pipeline.Usable
}

// unwrapData is what data is that is a text, or a text in a text: an object, if that is what it says. A text that
// begins as an object does, and is none, cannot be read, unless it was said to be something else.
func (d *Decoder) unwrapData(b []byte, data jsonToken, p promise) (value []byte, object jsonToken, c pipeline.Code) {
	const most = 2
	for n := 0; n < most && data.isText(); n++ {
		text, ok := d.unescaped(b, data)
		text = unmarked(text)
		if c = pipeline.NotJSON; ok {
			var t jsonToken
			if t, c = scanDocument(text); c == pipeline.Usable {
				b, data = text, t
				continue
			}
		}
		if p == promisedOther || !beginsObject(text) {
			c = pipeline.Usable
		}
		return b, jsonToken{}, c
	}
	return b, data, pipeline.Usable
}

// unescaped is the text of a string, however long. ok is false where half a surrogate pair is in it.
func (d *Decoder) unescaped(b []byte, t jsonToken) (text []byte, ok bool) {
	if t.kind != jsonEscaped {
		return b[t.from:t.to], true
	}
	raw := b[t.from:t.to]
	return appendUnescaped(d.scratch.large(len(raw)), raw, len(raw))
}

// scanDocument validates b as one JSON value.
func scanDocument(b []byte) (value jsonToken, c pipeline.Code) {
	value, next := scanValue(b, skipSpace(b, 0), 0)
	if next < 0 {
		return value, pipeline.Code(-next)
	}
	return value, scanEnd(b, next)
}

// fromBase64 decodes a text in base64 (RFC 4648), of either alphabet, with its padding or without. Line ends in it are
// passed over. ok is false where it is none.
func (d *Decoder) fromBase64(b []byte, t jsonToken) (out []byte, ok bool) {
	if !t.isText() {
		return nil, false
	}
	text, ok := d.unescaped(b, t)
	if !ok {
		return nil, false
	}
	out = d.scratch.large(len(text)/4*3 + 3)
	var bits uint32
	n, padding := 0, 0 // of characters
	for _, c := range text {
		six := sextet(c)
		switch {
		case c == '\r' || c == '\n':
			continue
		case c == '=' && padding < 2:
			padding++
			continue
		case six < 0 || padding > 0:
			return nil, false
		}
		bits = bits<<6 | uint32(six)
		if n++; n%4 == 0 {
			out = append(out, byte(bits>>16), byte(bits>>8), byte(bits))
		}
	}
	if padding > 0 && (n+padding)%4 != 0 {
		return nil, false
	}
	switch n % 4 {
	case 1:
		return nil, false
	case 2:
		out = append(out, byte(bits>>4))
	case 3:
		out = append(out, byte(bits>>10), byte(bits>>2))
	}
	return out, true
}

// sextet is the six bits that a character of base64 stands for; -1: none.
func sextet(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+' || c == '-':
		return 62
	case c == '/' || c == '_':
		return 63
	}
	return -1
}
