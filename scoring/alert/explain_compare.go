package alert

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// unknowable are the fields of an alert that nothing in it leads to.
var unknowable = []string{"cause", "visits", "features", "about", "opened_by", "began_at"} //nolint:gochecknoglobals // a table

// differences are where the alert is not what the decision would be rendered as.
func (r *replay) differences(d *scoring.Decision) []Difference {
	a := Alert{Decision: *d, Tenant: []byte(r.said.Tenant), Customer: []byte(r.said.Customer)}
	var again map[string]any
	if err := json.Unmarshal(r.render.AppendAlert(nil, &a, a.ID()), &again); err != nil {
		return []Difference{{"", nil, "no alert: " + err.Error()}}
	}
	if said, _ := r.tree["id"].(string); !r.knowsBeginning(d) {
		if again["id"] = said; !isID(said) {
			again["id"] = "32 hexadecimal digits"
		}
	}
	for _, key := range unknowable {
		again[key] = r.tree[key]
	}
	r.allowValue(d, again)
	if r.covers(d) {
		again["coverage"] = r.tree["coverage"]
	}
	return compare(nil, "", r.tree, again)
}

// isID reports whether s has the form of an alert's id.
func isID(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == len(ID{}) && hex.EncodeToString(b) == s
}

// knowsBeginning reports whether the alert shows when what its episode is about began, from which its id derives.
func (r *replay) knowsBeginning(d *scoring.Decision) bool {
	if d.Kind == profile.Lapse {
		return d.Transition != scoring.Recovered && d.Score.Silence > model.MinSilence
	}
	return d.Transition == scoring.Raised
}

// allowValue lets the sentence about an opening speak of any value, where its feature does not stand in the alert.
func (r *replay) allowValue(d *scoring.Decision, again map[string]any) {
	if d.Kind == profile.Lapse || len(r.said.Reasons) == 0 {
		return
	}
	o := d.FloorOpening(r.pack)
	if o.Feature < 0 || d.Score.Value(o.Feature).OK {
		return
	}
	text := r.pack.Catalogue.Sentence(o.Code, d.Score.Visits)
	i := slices.IndexFunc(text, func(p pack.Piece) bool { return p.Hole == pack.HoleValue })
	if i < 0 {
		return
	}
	said := r.said.Reasons[0].Text
	before, after := r.render.appendPieces(nil, d, o.Feature, text[:i]), r.render.appendPieces(nil, d, o.Feature, text[i+1:])
	if len(said) > len(before)+len(after) && strings.HasPrefix(said, string(before)) && strings.HasSuffix(said, string(after)) {
		again["reasons"].([]any)[0].(map[string]any)["text"] = said //nolint:forcetypeassert // it was rendered so
	}
}

// covers reports whether coverage is a share of the pack's features that fits what is known of them.
func (r *replay) covers(d *scoring.Decision) bool {
	all, with, without := len(r.pack.Features), 0, 0
	if all == 0 || d.Score.Visits == 0 {
		return false // it is known
	}
	lacks := make([]bool, all)
	for i := range r.pack.Model.Factors {
		if f := &r.pack.Model.Factors[i]; f.Stages.Has(d.Score.Stage) && !d.Score.Value(f.Feature).OK {
			lacks[f.Feature] = true
		}
	}
	if v := r.pack.Value.Feature; v >= 0 && !d.Score.Value(v).OK {
		lacks[v] = true
	}
	for i := range lacks {
		switch {
		case d.Score.Value(i).OK:
			with++
		case lacks[i]:
			without++
		}
	}
	for n := with; n <= all-without; n++ {
		text := strconv.FormatFloat(float64(n)/float64(all), 'g', 4, 64) // as alerts have it
		if shown, _ := strconv.ParseFloat(text, 64); shown == r.said.Coverage {
			return true
		}
	}
	return false
}

// compare appends where two trees of JSON differ, in the order of their fields.
func compare(dst []Difference, at string, said, again any) []Difference {
	switch again := again.(type) {
	case map[string]any:
		if said, ok := said.(map[string]any); ok {
			for _, key := range slices.Sorted(maps.Keys(again)) {
				dst = compare(dst, at+"/"+key, said[key], again[key])
			}
			for _, key := range slices.Sorted(maps.Keys(said)) {
				if _, ok := again[key]; !ok {
					dst = append(dst, Difference{at + "/" + key, plain(said[key]), nil})
				}
			}
			return dst
		}
	case []any:
		if said, ok := said.([]any); ok && len(said) == len(again) {
			for i := range again {
				dst = compare(dst, fmt.Sprintf("%s/%d", at, i), said[i], again[i])
			}
			return dst
		}
	default:
		if said == again { // scalars
			return dst
		}
	}
	return append(dst, Difference{at, plain(said), plain(again)})
}

// plain is a scalar as it is, and anything else as its JSON.
func plain(v any) any {
	switch v.(type) {
	case map[string]any, []any:
		b, _ := json.Marshal(v)
		return string(b)
	}
	return v
}
