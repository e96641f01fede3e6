package alert

import (
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// appendFacts appends the customer's facts by name; nothing where there are none.
func (r *Renderer) appendFacts(dst []byte, facts profile.Facts) []byte {
	if len(facts) == 0 {
		return dst
	}
	before := `,"facts":{"`
	for name, text := range r.Pack.Facts(facts) {
		dst, before = appendString(append(append(append(dst, before...), name...), `":`...), text), `,"`
	}
	if before == `,"` {
		dst = append(dst, '}')
	}
	return dst
}

// facts is the inverse of appendFacts, without the times. A text that is never carried is left out.
func (r *Renderer) facts(said map[string]string) (facts profile.Facts) {
	for i := range r.Pack.Carry {
		if text := pack.AppendFact(nil, []byte(said[r.Pack.Carry[i].Name])); len(text) > 0 {
			facts = facts.Put(r.Pack.Carry[i].Mark, 0, text)
		}
	}
	return facts
}
