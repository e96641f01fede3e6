package decode_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// plainEnvelope finds out which envelope a record is in, and unwraps it.
func plainEnvelope(r *pipeline.Record, maxRecordBytes int, spec *decode.MappingSpec) (plainFields, pipeline.Code) {
	headers := plainHeaders(r.Headers)
	_, erase := headers["ebb-erase"]
	if erase {
		headers, spec = nil, nil
	}
	if spec != nil && spec.All {
		headers = nil
	}
	mediaType := headers["content-type"]
	if mediaType == "" {
		mediaType = headers["ce_datacontenttype"]
	}
	mediaType = strings.ToLower(mediaType)
	structured := strings.HasPrefix(mediaType, "application/cloudevents")
	if version := headers["ce_specversion"]; !structured && version != "" && utf8.ValidString(version) {
		return plainBinary(r, headers, mediaType, maxRecordBytes)
	}
	switch {
	case len(r.Value) == 0:
		return plainFields{}, pipeline.RecordEmpty
	case r.Value[0] == 0:
		return plainFields{}, pipeline.RegistryFramed
	case len(r.Key)+len(r.Value)+len(r.Headers) > maxRecordBytes:
		return plainFields{}, pipeline.RecordTooLarge
	}
	if c := plainSyntax(r.Value, false); c != pipeline.Usable {
		return plainFields{}, c
	}
	m := plainObject(r.Value)
	kind, _ := plainText(m["type"], false, pipeline.TypeMissing, pipeline.TypeUnreadable)
	mapped := spec != nil && !plainlyClaimed(m, structured, segmentTypes()[kind] != "")
	switch {
	case erase:
	case mapped || spec != nil && spec.All:
		return plainMapped(r, spec), pipeline.Usable
	case structured || !missing(m["specversion"]) && m["specversion"][0] == '"':
		data, c := plainStructuredData(m)
		return plainCloud(m, data, r.Timestamp), c
	case missing(m["customer"]) && segmentTypes()[kind] != "":
		return plainSegment(m, segmentTypes()[kind], r.Timestamp), pipeline.Usable
	}
	return plainFields{
		customer: m["customer"],
		kind:     m["type"],
		value:    m["value"],
		currency: m["currency"],
		id:       m["id"],
		tenant:   m["tenant"],
		erase:    erase,
		time:     func() (int64, pipeline.Code) { return plainTime(m["time"]) },
	}, pipeline.Usable
}

func plainBinary(
	r *pipeline.Record,
	headers map[string]string,
	mediaType string,
	maxRecordBytes int,
) (plainFields, pipeline.Code) {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	mediaType = strings.TrimRight(mediaType, " \t")
	isJSON := strings.HasSuffix(mediaType, "/json") || strings.HasSuffix(mediaType, "+json")
	none := headers["content-type"] == "" && headers["ce_datacontenttype"] == ""
	var data map[string]json.RawMessage
	if len(r.Key)+len(r.Value)+len(r.Headers) > maxRecordBytes {
		return plainFields{}, pipeline.RecordTooLarge
	}
	if len(r.Value) > 0 && (isJSON || none) {
		var c pipeline.Code
		if data, c = plainData(r.Value, isJSON, none); isJSON && r.Value[0] == 0 {
			c = pipeline.RegistryFramed
		}
		if c != pipeline.Usable {
			return plainFields{envelope: pipeline.CloudEvent}, c
		}
	}
	attributes := map[string]json.RawMessage{}
	for name, value := range headers {
		name, ok := strings.CutPrefix(name, "ce_")
		if !ok {
			continue
		}
		attributes[name] = json.RawMessage("false") // any value but text is unreadable
		if utf8.ValidString(value) {
			attributes[name], _ = json.Marshal(value)
		}
	}
	return plainCloud(attributes, data, r.Timestamp), pipeline.Usable
}

// plainStructuredData is the members of the data of a CloudEvent in structured mode.
func plainStructuredData(m map[string]json.RawMessage) (map[string]json.RawMessage, pipeline.Code) {
	isJSON := missing(m["datacontenttype"])
	if mediaType, c := plainText(m["datacontenttype"], false, pipeline.NotJSON, pipeline.NotJSON); c == pipeline.Usable {
		mediaType, _, _ = strings.Cut(strings.ToLower(mediaType), ";")
		mediaType = strings.TrimRight(mediaType, " \t")
		isJSON = strings.HasSuffix(mediaType, "/json") || strings.HasSuffix(mediaType, "+json")
	}
	packed := m["data_base64"]
	encoding03, _ := plainText(m["datacontentencoding"], false, pipeline.NotJSON, pipeline.NotJSON)
	switch {
	case strings.ToLower(encoding03) == "base64" && !missing(m["data"]) && m["data"][0] == '"':
		packed = m["data"]
	case !missing(m["data"]) || missing(packed):
		return plainUnwrapped(m["data"], isJSON, false)
	}
	text, c := plainText(packed, false, pipeline.NotJSON, pipeline.NotJSON)
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	encoding := base64.RawStdEncoding
	if strings.Contains(text, "=") {
		encoding = base64.StdEncoding
	}
	b, err := encoding.DecodeString(text)
	switch {
	case c == pipeline.Usable && err == nil && len(b) > 0:
		return plainData(b, isJSON, false)
	case (c != pipeline.Usable || err != nil) && isJSON:
		return nil, pipeline.NotJSON
	}
	return nil, pipeline.Usable
}

// plainData is the members of data that is a whole text. isJSON: it was said to be JSON; maybe: nothing was said.
func plainData(b []byte, isJSON, maybe bool) (map[string]json.RawMessage, pipeline.Code) {
	if c := plainSyntax(b, true); c != pipeline.Usable {
		if isJSON || maybe && looksLikeObject(b) {
			return nil, c
		}
		return nil, pipeline.Usable
	}
	return plainUnwrapped(bytes.TrimPrefix(b, []byte("\ufeff")), isJSON, maybe)
}

// plainUnwrapped is the members of an object, or of one that stands in a text, or in a text in a text.
func plainUnwrapped(raw json.RawMessage, isJSON, maybe bool) (map[string]json.RawMessage, pipeline.Code) {
	for range 2 {
		raw = bytes.TrimSpace(raw)
		if missing(raw) || raw[0] != '"' {
			break
		}
		text, c := plainText(raw, false, pipeline.Usable, pipeline.NotJSON)
		if c == pipeline.Usable {
			c = plainSyntax([]byte(text), true)
		} else {
			text = string(raw[1:])
		}
		if c != pipeline.Usable {
			if (isJSON || maybe) && looksLikeObject([]byte(text)) {
				return nil, c
			}
			return nil, pipeline.Usable
		}
		raw = []byte(strings.TrimPrefix(text, "\ufeff"))
	}
	return plainObject(raw), pipeline.Usable
}

func looksLikeObject(b []byte) bool {
	return strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(string(b), "\ufeff"), " \t\r\n"), "{")
}

func plainCloud(attributes, data map[string]json.RawMessage, stamp int64) plainFields {
	return plainFields{
		envelope: pipeline.CloudEvent,
		subject:  missing(attributes["customer"]) && missing(data["customer"]) && !missing(attributes["subject"]),
		customer: firstOf(attributes["customer"], data["customer"], attributes["subject"], attributes["partitionkey"]),
		kind:     attributes["type"], id: attributes["id"], source: attributes["source"],
		tenant: firstOf(attributes["tenant"], data["tenant"]), value: data["value"], currency: data["currency"],
		time: func() (int64, pipeline.Code) {
			if missing(attributes["time"]) && stamp > 0 {
				return stamp, plainRange(stamp)
			}
			return plainTime(attributes["time"])
		},
	}
}

// segmentTypes is each call's event type; a track names its own.
func segmentTypes() map[string]string {
	return map[string]string{
		"track":    "-",
		"page":     "Page Viewed",
		"screen":   "Screen Viewed",
		"identify": "identify",
		"group":    "group",
		"alias":    "alias",
		"delete":   "delete",
		"erase":    "erase",
	}
}

func plainSegment(m map[string]json.RawMessage, kind string, stamp int64) plainFields {
	properties, context := plainObject(m["properties"]), plainObject(m["context"])
	f := plainFields{
		envelope: pipeline.Segment,
		customer: firstOf(m["userId"], m["anonymousId"]), id: m["messageId"], tenant: context["groupId"],
		value: firstOf(properties["revenue"], properties["total"], properties["value"]), currency: properties["currency"],
		control: strings.ToLower(kind) == kind && kind != "-",
		unknown: missing(m["userId"]),
		erase:   kind == "delete" || kind == "erase",
		time:    func() (int64, pipeline.Code) { return plainDeviceTime(m, stamp) },
	}
	if f.kind = m["event"]; kind != "-" {
		f.kind, _ = json.Marshal(kind)
	}
	return f
}

func plainDeviceTime(m map[string]json.RawMessage, stamp int64) (int64, pipeline.Code) {
	device, c := plainClock(firstOf(m["timestamp"], m["originalTimestamp"], m["sentAt"]))
	if c != pipeline.Usable {
		return 0, c
	}
	plausible := func(ms int64) bool { y := time.UnixMilli(ms).UTC().Year(); return y >= 1970 && y <= 2200 }
	day := (24 * time.Hour).Milliseconds()
	sent, sentCode := plainClock(m["sentAt"])
	received, receivedCode := plainClock(m["receivedAt"])
	known := receivedCode == pipeline.Usable && plausible(received)
	if !known && plausible(stamp) && stamp != device && stamp-sent <= day && sent-stamp <= day {
		received, known = stamp, true
	}
	corrected := !missing(m["timestamp"]) && !missing(m["originalTimestamp"])
	sane := sentCode == pipeline.Usable && plausible(sent) && plausible(device) && device <= sent+day
	if !corrected && known && sane {
		device = received - (sent - device)
	}
	return device, plainRange(device)
}

func missing(raw json.RawMessage) bool {
	return raw == nil || string(raw) == "null" || string(raw) == `""`
}

func firstOf(candidates ...json.RawMessage) json.RawMessage {
	for _, raw := range candidates {
		if !missing(raw) {
			return raw
		}
	}
	return nil
}

// plainObject is the members of a JSON object, and none for any other value.
func plainObject(b []byte) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(bytes.TrimPrefix(b, []byte("\ufeff")), &m) != nil {
		return nil
	}
	return m
}

// plainHeaders is the headers that are not null, with the last of a repeated one; none where they are damaged.
func plainHeaders(b []byte) map[string]string {
	out := map[string]string{}
	damaged := false
	number := func() (n int64) {
		n, size := binary.Varint(b)
		if size <= 0 {
			damaged = true
			return 0
		}
		b = b[size:]
		return n
	}
	text := func() (s string, null bool) {
		n := number()
		if n == -1 {
			return "", true
		}
		if damaged = damaged || n < 0 || n > int64(len(b)); damaged {
			return "", true
		}
		s, b = string(b[:n]), b[n:]
		return s, false
	}
	if len(b) == 0 {
		return nil
	}
	for left := number(); left != 0; left-- {
		key, null := text()
		damaged = damaged || null || left < 0
		value, null := text()
		if damaged {
			return nil
		}
		if delete(out, key); !null {
			out[key] = value
		}
	}
	if len(b) != 0 {
		return nil
	}
	return out
}
