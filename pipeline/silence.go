package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"ebb/scoring/encode"
	"ebb/scoring/profile"
)

// Silence holds back what it matches, until an event time: it is raised no sooner. Its fields are a contract.
type Silence struct {
	Number int64     `json:"number,omitempty"` // see Change.Number
	ID     string    `json:"id"`               // the same in all partitions
	Match  Match     `json:"match,omitzero"`
	Until  time.Time `json:"until,omitzero"`  // event time: a decision from then on is not held
	Ended  bool      `json:"ended,omitempty"` // it ends before that, by the control record
	By     string    `json:"by,omitempty"`
	Why    string    `json:"why,omitempty"`
	Asked  string    `json:"asked,omitempty"` // id of the Asked that is done with it
}

// Match is what a silence is about. An empty field matches anything, so the zero value matches everything.
type Match struct {
	Kind     string `json:"kind,omitempty"`     // of the episode
	Playbook string `json:"playbook,omitempty"` // id of the play that the alert would name
	Tenant   string `json:"tenant,omitempty"`
	Pack     string `json:"pack,omitempty"` // its name
}

// Of reports whether m matches a decision.
func (m *Match) Of(kind profile.Kind, playbook, tenant, pack string) bool {
	return fits(m.Kind, kind.String()) && fits(m.Playbook, playbook) && fits(m.Tenant, tenant) && fits(m.Pack, pack)
}

func fits(want, found string) bool { return want == "" || want == found }

// Bounds of a silence, since it is part of each commit.
const (
	MaxSilences    = 50  // of a partition, in force
	maxSilenceText = 200 // bytes of each of its texts
)

// Check refuses a silence that nobody may ask for.
func (s *Silence) Check() error {
	m := &s.Match
	for what, text := range map[string]string{
		"playbook": m.Playbook, "tenant": m.Tenant, "pack": m.Pack, "by": s.By, "why": s.Why, "id": s.ID,
	} {
		if len(text) > maxSilenceText {
			return fmt.Errorf("%s may have %d bytes, and has %d", what, maxSilenceText, len(text))
		}
	}
	switch {
	case m.Kind != "" && !slices.Contains(profile.KindNames(), m.Kind):
		return fmt.Errorf("there is no kind %q, but %v", m.Kind, profile.KindNames())
	case s.ID == "" || s.By == "":
		return errors.New("who asks for it is not told")
	case !s.Ended && s.Until.IsZero():
		return errors.New("it has no end")
	}
	return nil
}

// Minute is the first minute of event time that s does not hold back.
func (s *Silence) Minute() int64 { return -FloorDiv(-s.Until.UnixMilli(), MinuteMillis) }

// Over reports whether s holds nothing back that is decided at an event time in ms.
func (s *Silence) Over(at int64) bool { return at >= s.Minute()*MinuteMillis }

// Silences are those of a partition, in the order in which they began. One whose time is over stays until the next begins:
// an event that comes late may still fall into it.
type Silences []Silence

// With is all as a control record leaves them, as of a watermark in ms: with one more, or without one that ends before its
// time.
func (all Silences) With(s *Silence, watermark int64) Silences {
	kept := make(Silences, 0, len(all)+1)
	for i := range all {
		if all[i].ID != s.ID && !all[i].Over(watermark) {
			kept = append(kept, all[i])
		}
	}
	if !s.Ended {
		kept = append(kept, *s)
	}
	return kept
}

// Has reports whether one of a number is among all.
func (all Silences) Has(number int64) bool {
	return slices.ContainsFunc(all, func(s Silence) bool { return s.Number == number })
}

// InForce are those that hold something back as of a watermark in ms.
func (all Silences) InForce(watermark int64) Silences {
	return slices.DeleteFunc(slices.Clone(all), func(s Silence) bool { return s.Over(watermark) })
}

// appendSilences is their section of a meta. They are few and change hardly ever, so it is JSON, as in control records.
func appendSilences(dst []byte, m *Meta) []byte {
	if len(m.Silences) == 0 {
		return dst
	}
	return append(dst, encoded(m.Silences)...)
}

func readSilences(r *encode.Reader, m *Meta) {
	if b := r.Fixed(len(r.Rest())); len(b) > 0 && json.Unmarshal(b, &m.Silences) != nil {
		r.Damage()
	}
}
