package alert

import (
	"slices"
	"time"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// appendTrouble appends the negative event that weighs most; nothing where friction is no reason.
func (r *Renderer) appendTrouble(dst []byte, d *scoring.Decision) []byte {
	if d.Trouble == (profile.Trouble{}) {
		return dst
	}
	if dst = append(dst, `,"trouble":{`...); r.troubleType(d) != "" {
		dst = append(appendString(append(dst, `"event_type":`...), []byte(r.troubleType(d))), ',')
	}
	return append(AppendTime(append(dst, `"time":"`...), d.Trouble.At), `"}`...)
}

// troubleType is the type of that event; empty where the pack does not know it.
func (r *Renderer) troubleType(d *scoring.Decision) string {
	eventType, _ := r.Pack.TroubleOf(d.Trouble.Type)
	return eventType
}

// appendTroubleType appends the type of that event in words, as the inside of a JSON string.
func (r *Renderer) appendTroubleType(dst []byte, d *scoring.Decision) []byte {
	eventType := r.troubleType(d)
	if eventType == "" {
		return append(dst, r.Pack.Catalogue.Words.Trouble...)
	}
	begin := len(dst)
	dst = appendString(dst, []byte(eventType))
	return slices.Delete(dst, begin, begin+1)[:len(dst)-2]
}

// saidTrouble is the trouble of an alert.
type saidTrouble struct {
	Type string    `json:"event_type"`
	Time time.Time `json:"time"`
}

// decode is the inverse of appendTrouble.
func (said *saidTrouble) decode() (t profile.Trouble) {
	if said != nil {
		if t.At = said.Time.UnixMilli(); said.Type != "" {
			t.Type = pack.TroubleMark(said.Type)
		}
	}
	return t
}
