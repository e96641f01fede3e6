package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/eventlog"
	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// partOf is the part of the event that a code is about; "": the record as a whole.
func partOf(c pipeline.Code) string {
	return map[pipeline.Code]string{
		pipeline.CustomerMissing: "customer", pipeline.CustomerTooLong: "customer", pipeline.CustomerUnreadable: "customer",
		pipeline.TypeMissing: "type", pipeline.TypeUnreadable: "type",
		pipeline.TimeMissing: "time", pipeline.TimeUnreadable: "time", pipeline.TimeOutOfRange: "time",
		pipeline.ValueUnreadable: "value", pipeline.CurrencyUnreadable: "currency", pipeline.IDUnreadable: "id", pipeline.TenantUnreadable: "tenant",
	}[c]
}

// pathsOf are the places where an envelope holds a part, as JSON pointers. The first that exists counts.
func (s *Sample) pathsOf(envelope pipeline.Envelope, part string) []string {
	switch envelope { //nolint:exhaustive // flat JSON is what remains
	case pipeline.Segment:
		return map[string][]string{
			"customer": {"/userId", "/anonymousId"}, "type": {"/event"}, "time": {"/timestamp", "/originalTimestamp", "/sentAt"},
			"value": {"/properties/revenue", "/properties/total", "/properties/value"}, "currency": {"/properties/currency"},
			"id": {"/messageId"}, "tenant": {"/context/groupId"},
		}[part]
	case pipeline.CloudEvent:
		return map[string][]string{
			"customer": {"/customer", "/data/customer", "/subject", "/partitionkey"}, "type": {"/type"}, "time": {"/time"},
			"value": {
				"/data/value",
			}, "currency": {"/data/currency"}, "id": {"/id", "/source"}, "tenant": {"/tenant", "/data/tenant"},
		}[part]
	case pipeline.Mapped:
		p := &s.cfg.Input.Mapping.Parts
		return map[string][]string{
			"customer": p.Customer.Paths, "type": p.Type.Paths, "time": p.Time.Paths, "value": p.Value.Paths, "currency": p.Currency.Paths,
			"id": p.ID.Paths, "tenant": p.Tenant.Paths,
		}[part]
	}
	return []string{"/" + part}
}

// placeOf is where in the line the fault is, and a description of it.
func (s *Sample) placeOf(f Fault, line []byte) (place, found string) {
	part := partOf(f.code)
	words := s.words(f)
	switch {
	case f.code == pipeline.NotJSON && f.envelope == pipeline.CloudEvent && json.Valid(line):
		return dataFault(line)
	case f.code == pipeline.NotJSON:
		return jsonFault(line)
	case f.code == pipeline.RecordTooLarge:
		return "", fmt.Sprintf("larger than input.max_record_bytes (%s)", advice.FormatSize(s.cfg.Input.MaxRecordBytes))
	case f.code == pipeline.RegistryFramed:
		return "", "begins with a zero byte, as a schema registry frames records"
	case part == "":
		return "", words
	}
	paths := s.pathsOf(f.envelope, part)
	if path, raw := s.find(f.envelope, part, line); raw != nil {
		return path, words + ": " + advice.Clip(raw, 60)
	}
	if len(paths) == 0 {
		return "", words
	}
	return strings.Join(paths, " or "), words
}

// find is where a part stands in the line, and what stands there; nil: nowhere.
func (s *Sample) find(envelope pipeline.Envelope, part string, line []byte) (path string, raw []byte) {
	line = bytes.TrimPrefix(line, []byte("\ufeff"))
	if envelope == pipeline.CloudEvent {
		line = unpacked(line)
	}
	for _, path := range s.pathsOf(envelope, part) {
		if raw := lookUp(line, path); raw != nil {
			return path, raw
		}
	}
	return "", nil
}

// noMoney names what stands in the place of money and is none: the currency, where that is no currency.
func (s *Sample) noMoney(envelope pipeline.Envelope, line []byte) string {
	part := "value"
	if _, raw := s.find(envelope, "currency", line); raw != nil && !currency().Match(raw) {
		part = "currency"
	}
	path, raw := s.find(envelope, part, line)
	return path + " (" + advice.Clip(raw, 60) + ")"
}

func currency() *regexp.Regexp { return regexp.MustCompile(`^"[A-Za-z]{3}"$`) }

// lacksOffset reports whether the fault is a date and time of which it is not said where it was that time.
func (s *Sample) lacksOffset(f Fault, line []byte) bool {
	if f.code != pipeline.TimeUnreadable || f.envelope == pipeline.Mapped && s.cfg.Input.Mapping.Parts.TimeZone != "" {
		return false
	}
	_, raw := s.find(f.envelope, "time", line)
	return regexp.MustCompile(`^"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?)?"$`).Match(raw)
}

// isBatch recognises what Segment's libraries send over HTTP: several messages in one object. No mapping reads them: it
// would take one of them, and drop the rest.
func isBatch(line []byte) bool {
	var batch struct {
		Messages []struct {
			Type string `json:"type"`
		} `json:"batch"`
	}
	return json.Unmarshal(line, &batch) == nil && len(batch.Messages) > 0 && batch.Messages[0].Type != ""
}

// dataFault finds what is wrong with a CloudEvent's data.
func dataFault(line []byte) (place, found string) {
	for _, path := range []string{"/data", "/data_base64"} {
		if raw := lookUp(line, path); raw != nil {
			return path, "the data is not JSON, as it was to be: " + advice.Clip(raw, 60)
		}
	}
	return "", eventlog.CodeInWords(pipeline.NotJSON)
}

// unpacked is a CloudEvent with its data in place of the text or the base64 that it comes as.
func unpacked(line []byte) []byte {
	var event map[string]json.RawMessage
	if json.Unmarshal(line, &event) != nil {
		return line
	}
	var text, encoding string
	var bytes []byte
	if raw := event["datacontentencoding"]; raw != nil {
		_ = json.Unmarshal(raw, &encoding) // what is no text says nothing
	}
	switch {
	case strings.EqualFold(encoding, "base64") && json.Unmarshal(event["data"], &bytes) == nil && json.Valid(bytes):
		event["data"] = bytes
	case json.Unmarshal(event["data"], &text) == nil && json.Valid([]byte(text)):
		event["data"] = json.RawMessage(text)
	case event["data"] == nil && json.Unmarshal(event["data_base64"], &bytes) == nil && json.Valid(bytes):
		event["data"] = bytes
	default:
		return line
	}
	if packed, err := json.Marshal(event); err == nil {
		return packed
	}
	return line
}

// words says what a code means; of times and money it depends on what they were to be.
func (s *Sample) words(f Fault) string {
	m := &s.cfg.Input.Mapping.Parts
	switch {
	case f.local:
		return "the time has no offset, such as Z or +01:00"
	case f.code == pipeline.TimeUnreadable && f.envelope == pipeline.Mapped && m.TimeAs != decode.TimeForms()[0]:
		return "the time is not in the form of input.mapping.time.as, " + m.TimeAs
	case f.batch:
		return "names no customer: a batch of messages, which is no event"
	case f.code == pipeline.ValueUnreadable && f.envelope == pipeline.Mapped && m.ValueAs != decode.ValueForms()[0]:
		return "the value is no whole number of minor units"
	case f.code == pipeline.ValueUnreadable && f.envelope != pipeline.Flat:
		return "the value is no decimal number"
	}
	return eventlog.CodeInWords(f.code)
}

// jsonFault finds where a line stops being one JSON object.
func jsonFault(line []byte) (place, found string) {
	var object map[string]json.RawMessage
	err := json.Unmarshal(line, &object)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return "column " + strconv.FormatInt(syntax.Offset, 10), "not JSON: " + syntax.Error()
	}
	if err != nil {
		return "", "JSON, but no object: " + advice.Clip(line, 60)
	}
	return "", eventlog.CodeInWords(pipeline.NotJSON)
}

// lookUp is the value at a JSON pointer, except null and the empty string.
func lookUp(b []byte, path string) []byte {
	for _, step := range strings.Split(path, "/")[1:] {
		step = strings.NewReplacer("~0", "~", "~1", "/").Replace(step)
		var object map[string]json.RawMessage
		var list []json.RawMessage
		if json.Unmarshal(b, &object) == nil {
			b = object[step]
		} else if i, err := strconv.Atoi(step); json.Unmarshal(b, &list) == nil && err == nil && i >= 0 && i < len(list) {
			b = list[i]
		} else {
			return nil
		}
	}
	if bytes.Equal(b, []byte("null")) || bytes.Equal(b, []byte(`""`)) {
		return nil
	}
	return b
}

// Cure is what to do about a fault.
func (s *Sample) Cure(f Fault) string {
	part := partOf(f.code)
	key := "input.mapping." + part
	missing := strings.HasSuffix(f.code.String(), "_missing")
	places := strings.Join(s.pathsOf(f.envelope, part), " or ")
	switch {
	case f.code == pipeline.NotJSON && f.envelope == pipeline.CloudEvent:
		return "have the sender put JSON into the event's data, or say in datacontenttype what it is"
	case f.code == pipeline.NotJSON:
		return "send each event as one JSON object in UTF-8; in this file, one a line"
	case f.code == pipeline.NestedTooDeep:
		return fmt.Sprintf("send what nests deeper than %d levels as a text", pipeline.MaxDepth)
	case f.code == pipeline.RecordTooLarge:
		return "send less, or raise input.max_record_bytes"
	case f.code == pipeline.RegistryFramed:
		return "send plain JSON: framed records are not read yet"
	case f.batch:
		return "have the sender, or a stream processor before ebb, send each message of the batch as a record of its own, with " +
			"the batch's sentAt; a mapping would read one of them and drop the rest"
	case f.local && f.envelope == pipeline.Mapped:
		return fmt.Sprintf("say of which zone such times are: %s.zone: UTC, or a name such as Europe/Paris", key)
	case f.local:
		return "have it sent with its offset, such as 2026-03-01T09:30:00Z, or have a mapping read it that names the zone: " +
			"input.mapping.time.zone (docs/events.md)"
	case f.code == pipeline.ValueUnreadable && f.envelope != pipeline.Mapped:
		return "have the sender correct it: the pack takes money from these events, as a number, 1234.5"
	case f.envelope == pipeline.Mapped && missing && part == "time":
		return fmt.Sprintf("mend %s.path, or set %s.default: %s", key, key, decode.RecordTime)
	case f.envelope == pipeline.Mapped && missing:
		return fmt.Sprintf("mend %s.path, or set %s.default", key, key)
	case f.envelope == pipeline.Mapped && (part == "time" || part == "value"):
		return fmt.Sprintf("mend %s.path or %s.as, or have the sender correct it", key, key)
	case f.envelope == pipeline.Mapped:
		return fmt.Sprintf("mend %s.path, or have the sender correct it", key)
	case f.envelope == pipeline.Flat && missing && s.cfg.Input.Mapping.Compiled == nil:
		return fmt.Sprintf(
			"have it sent in %s or, where this is JSON of your own, say where it stands: %s (docs/events.md)",
			places,
			key,
		)
	case missing:
		return "have it sent in " + places
	}
	return "have the sender correct it"
}
