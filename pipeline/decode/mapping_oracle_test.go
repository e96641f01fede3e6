package decode_test

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// mapped compiles a mapping.
func mapped(t testing.TB, spec *decode.MappingSpec) *decode.Decoder {
	t.Helper()
	m, err := decode.NewMapping(spec)
	if err != nil {
		t.Fatal(err)
	}
	return decode.NewMapped(testRecordBytes, m)
}

// plainlyClaimed reports whether an envelope claims a record, in spite of a mapping for the others.
func plainlyClaimed(m map[string]json.RawMessage, structured, call bool) bool {
	text := func(raw json.RawMessage) bool { return !missing(raw) && raw[0] == '"' }
	switch {
	case structured || text(m["specversion"]):
		return true
	case missing(m["customer"]):
		return call && firstOf(m["userId"], m["anonymousId"]) != nil
	}
	return (text(m["customer"]) || integerText.Match(m["customer"])) && text(m["type"]) && !missing(m["time"])
}

// plainMapped reads a record's parts by the mapping.
func plainMapped(r *pipeline.Record, spec *decode.MappingSpec) plainFields {
	part := func(p *decode.PartSpec) json.RawMessage {
		for _, path := range p.Paths {
			if raw := plainPointer(r.Value, path); !missing(raw) {
				return raw
			}
		}
		raw, err := json.Marshal(p.Default)
		if err != nil {
			panic(err)
		}
		return raw
	}
	clock := spec.Time
	clock.Default = ""
	return plainFields{
		envelope: pipeline.Mapped, minor: spec.ValueAs == "minor",
		customer: part(&spec.Customer), kind: part(&spec.Type), value: part(&spec.Value), currency: part(&spec.Currency),
		id: part(&spec.ID), tenant: part(&spec.Tenant),
		time: func() (int64, pipeline.Code) {
			raw := part(&clock)
			if missing(raw) && spec.Time.Default == "record" && r.Timestamp > 0 {
				return r.Timestamp, plainRange(r.Timestamp)
			}
			return plainTimeAs(raw, spec.TimeAs, plainZone(spec.TimeZone))
		},
	}
}

// plainZone is the zone of that name; nil: none.
func plainZone(name string) *time.Location {
	if name == "" {
		return nil
	}
	for _, form := range []string{"-07:00", "-0700", "-07"} {
		if at, err := time.Parse(form, name); err == nil {
			_, offset := at.Zone()
			return time.FixedZone(name, offset)
		}
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

// plainPointer is what a JSON pointer leads to.
func plainPointer(b []byte, path string) json.RawMessage {
	for _, step := range strings.Split(path, "/")[1:] {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		if object := plainObject(b); object != nil {
			b = object[step]
			continue
		}
		var list []json.RawMessage
		at, err := strconv.Atoi(step)
		if json.Unmarshal(b, &list) != nil || err != nil || strconv.Itoa(at) != step || at < 0 || at >= len(list) {
			return nil
		}
		b = list[at]
	}
	return b
}

// plainTimeAs is plainTime for one form.
func plainTimeAs(raw json.RawMessage, form string, zone *time.Location) (int64, pipeline.Code) {
	s, none, ok := plainNumber(raw)
	switch {
	case form == "auto":
		return plainTimeIn(raw, zone)
	case none:
		return 0, pipeline.TimeMissing
	case !ok || numberText.MatchString(s) == (form == "rfc3339"):
		return 0, pipeline.TimeUnreadable
	case form == "rfc3339":
		return plainTimeIn(raw, zone)
	}
	unit := map[string]time.Duration{
		"seconds":      time.Second,
		"milliseconds": time.Millisecond,
		"microseconds": time.Microsecond,
		"nanoseconds":  1,
	}[form]
	if unit == 0 {
		return 0, pipeline.TimeUnreadable
	}
	v := plainRat(s)
	v.Mul(v, big.NewRat(int64(unit), int64(time.Millisecond)))
	ms := new(big.Int).Div(v.Num(), v.Denom())
	if v.Sign() < 0 || ms.BitLen() > 50 { // before 1970, or past the year 9999
		return 0, pipeline.TimeOutOfRange
	}
	return ms.Int64(), plainRange(ms.Int64())
}
