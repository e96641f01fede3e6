package pipeline

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"ebb/scoring/encode"
	"ebb/scoring/zone"
)

// Settings are what decides besides the records and the pack. Below the published position everything has to be decided
// as it was, so they are part of the state, and changed ones begin before a record, by a control record. The zero value
// is none: they are not announced yet.
type Settings struct {
	Rules           int     `json:"rules"`                     // version of the rules by which records are read; see decode.Rules
	MaxRecordBytes  int     `json:"max_record_bytes"`          // a larger record is quarantined
	Mapping         string  `json:"mapping,omitempty"`         // of JSON in no known envelope, as decode.MappingSpec encodes it
	TrackAnonymous  bool    `json:"track_anonymous,omitempty"` // messages of visitors count, under their anonymous id
	LatenessMillis  int64   `json:"lateness_ms"`               // how far events of a partition may be out of order
	RetentionMillis int64   `json:"retention_ms"`              // after which the state of a silent customer is removed; 0: never
	Guard           int     `json:"guard,omitempty"`           // version of the rules by which sources are judged; 0: they are not
	Heartbeat       string  `json:"heartbeat,omitempty"`       // type of the events by which a source shows that it lives
	Storm           int     `json:"storm,omitempty"`           // version of the rules by which a storm is told; 0: none is
	ReviewMillis    int64   `json:"review_ms,omitempty"`       // after its hour, what a storm holds is held for so long
	Zone            string  `json:"zone,omitempty"`            // time zone of customers who have none of their own; empty: unknown
	Zones           string  `json:"zones,omitempty"`           // of those of some tenants: a JSON object, zone by tenant
	Holdout         Holdout `json:"holdout,omitzero"`
	Budgets         string  `json:"budgets,omitempty"` // by lane; see ReadBudgets
}

// Homes are the time zones of tenants, for their customers who have none of their own. The zero value knows none.
type Homes struct {
	every zone.Mark
	of    map[string]zone.Mark // by tenant
}

// Homes are those of the settings. A zone that this build does not know is none.
func (s *Settings) Homes() Homes {
	mark := func(name string) zone.Mark {
		if z := zone.Named([]byte(name)); z != nil {
			return z.Mark
		}
		return 0
	}
	var zones map[string]string
	if s.Zones != "" && json.Unmarshal([]byte(s.Zones), &zones) != nil {
		return Homes{}
	}
	h := Homes{every: mark(s.Zone), of: make(map[string]zone.Mark, len(zones))}
	for tenant, name := range zones {
		h.of[tenant] = mark(name)
	}
	return h
}

// Of is the mark of a tenant's time zone; 0: it is unknown.
func (h *Homes) Of(tenant []byte) zone.Mark {
	if mark, own := h.of[string(tenant)]; own {
		return mark
	}
	return h.every
}

// Hash names the settings; empty where there are none.
func (s *Settings) Hash() string {
	if *s == (Settings{}) {
		return ""
	}
	return strconv.FormatUint(xxhash.Sum64(encoded(s)), 16)
}

// appendSettings is their section of a meta. They are few and change hardly ever, so it is JSON, as in the control
// record.
func appendSettings(dst []byte, m *Meta) []byte {
	if m.Settings == (Settings{}) {
		return dst
	}
	return append(dst, encoded(&m.Settings)...)
}

func readSettings(r *encode.Reader, m *Meta) {
	if json.Unmarshal(r.Fixed(len(r.Rest())), &m.Settings) != nil {
		r.Damage()
	}
}

// Unreadable is the hard stop of a state, or of a control record, with settings that this build does not know.
func (s *Settings) Unreadable(id Identity, err error) *HardStop {
	return id.Stop(
		"state_unreadable",
		fmt.Sprintf("settings %s: %v", s.Hash(), err),
		"run the version of ebb that wrote them, or a newer one",
	)
}
