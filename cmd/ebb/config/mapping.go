package config

import (
	"errors"
	"slices"
	"strings"

	"ebb/pipeline/decode"
)

// Mapping is how JSON in no known envelope is read.
type Mapping struct {
	Records string // other or all
	Parts   decode.MappingSpec

	Compiled *decode.Mapping // nil: none is configured
}

// All reports whether the mapping is used for every record, in whatever envelope.
func (m *Mapping) All() bool { return m.Records == mapAll }

// text is the mapping as settings of a partition hold it; empty where none is configured.
func (m *Mapping) text() string {
	if m.Compiled == nil {
		return ""
	}
	spec := m.Parts
	spec.All = m.All()
	return spec.Text()
}

func defaultMapping() Mapping {
	return Mapping{
		Records: mapOther,
		Parts:   decode.MappingSpec{TimeAs: decode.TimeForms()[0], ValueAs: decode.ValueForms()[0]},
	}
}

// Which records a mapping is used for.
const (
	mapOther = "other"
	mapAll   = "all"
)

// mappingParts are the sections of a mapping.
func mappingParts() []string {
	return []string{"customer", "type", "time", "value", "currency", "id", "tenant"}
}

func (m *Mapping) settings(prefix string) []setting {
	p := &m.Parts
	s := []setting{
		{
			path:  prefix + "records",
			value: choiceValue{&m.Records, []string{mapOther, mapAll}},
			doc: "Which records the mapping below takes: `other`, those that no [envelope](events.md) claims, or `all`. " +
				"Without paths and defaults below there is no mapping.",
		},
	}
	part := func(name string, spec *decode.PartSpec, what, missing string) {
		s = append(
			s,
			setting{
				path:  prefix + name + ".path",
				value: listValue{&spec.Paths},
				doc:   "JSON pointer of " + what + "; of several the first that leads to something counts. `input.mapping." + name + ": /PATH` is short for it.",
			},
		)
		if missing != "" {
			s = append(s, setting{path: prefix + name + ".default", value: textValue{&spec.Default}, doc: missing})
		}
	}
	part(
		"customer",
		&p.Customer,
		"the customer, a text or a whole number",
		"The customer of records that name none. Empty: they are quarantined.",
	)
	part(
		"type",
		&p.Type,
		"the event's type, a text or a whole number",
		"The type of records that name none. Empty: they are quarantined.",
	)
	part("time", &p.Time, "the event's time", "")
	s = append(
		s,
		setting{
			path:  prefix + "time.as",
			value: choiceValue{&p.TimeAs, decode.TimeForms()},
			doc: "What the time is. `auto`: RFC 3339, or seconds or milliseconds since 1970. The others: this and nothing " +
				"else.",
		},
		setting{
			path:  prefix + "time.zone",
			value: textValue{&p.TimeZone},
			doc: "The zone of times that come without an offset: `UTC`, a name of the tz database such as `Europe/Paris`, or an " +
				"offset such as `+02:00`. Empty: they are quarantined. What clocks show twice is the first of both, what they " +
				"skip is read as if they had not been put forward ([events](events.md#any-other-json)).",
		},
		setting{
			path:  prefix + "time.default",
			value: choiceValue{&p.Time.Default, []string{"", decode.RecordTime}},
			doc: "The time of records that name none. `record`: the timestamp of the Kafka record. Empty: they are " +
				"quarantined.",
		},
	)
	part("value", &p.Value, "the money", "The money of records that name none, in the form of `value.as`. Empty: none.")
	s = append(
		s,
		setting{
			path:  prefix + "value.as",
			value: choiceValue{&p.ValueAs, decode.ValueForms()},
			doc: "What the money is. `decimal`: a number of units of the currency (12.90), rounded to the minor unit. " +
				"`minor`: a whole number of minor units (1290).",
		},
	)
	part(
		"currency",
		&p.Currency,
		"the currency, three letters",
		"The currency of records that name none. Empty: none, and two decimals.",
	)
	part("id", &p.ID, "the event's id, by which a repeat is known", "")
	part("tenant", &p.Tenant, "the tenant", "The tenant of records that name none.")
	return s
}

// checkMapping compiles the mapping, where one is configured.
func (l *loader) checkMapping(m *Mapping) {
	const prefix = "input.mapping."
	first := slices.IndexFunc(l.settings, func(s setting) bool {
		_, set := l.origins[s.path]
		return set && strings.HasPrefix(s.path, prefix)
	})
	if first < 0 {
		return
	}
	spec := m.Parts
	spec.All = m.All()
	var err error
	m.Compiled, err = decode.NewMapping(&spec)
	if faults, ok := errors.AsType[decode.MappingFaults](err); ok {
		known := slices.Clone(l.problems)
		for _, f := range faults {
			if known.Touch(prefix + f.Key) {
				continue // it has no value because reading it failed
			}
			l.contradiction(prefix+f.Key, l.settings[first].path, "%s", f.Text)
		}
	}
}
