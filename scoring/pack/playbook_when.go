package pack

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"ebb/scoring/model"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
	"ebb/scoring/strictyaml"
)

// When is conditions that have to hold together.
type When struct {
	reasons []string // of the alert, by code; nil: any
	events  []uint16 // marks of event types behind the friction; nil: any
	kinds   profile.KindSet
	stages  profile.StageSet
	tiers   uint8 // a bit each
	values  uint8 // a bit each
	amounts []amount
}

// amount is a condition on a number: it has data, and lies within bounds.
type amount struct {
	of          int // index of a feature, or one of the numbers below
	least, most int64
}

// Numbers of the core in amounts.
const (
	ofVisits  = -1
	ofSilence = -2 // ms
)

// Case is what the conditions of playbooks are asked of.
type Case struct {
	Kind    profile.Kind
	Tier    profile.Tier
	Value   ValueTier
	Trouble uint16 // mark of the event type behind the friction
	Score   *model.Score
}

// holds reports whether all conditions hold in a case, at one of its reasons.
func (w *When) holds(c *Case, code string) bool {
	if w.reasons != nil && !slices.Contains(w.reasons, code) || w.events != nil && !slices.Contains(w.events, c.Trouble) {
		return false
	}
	if w.kinds>>c.Kind&1 == 0 || w.tiers>>c.Tier&1 == 0 || w.values>>c.Value&1 == 0 {
		return false
	}
	if w.stages != profile.AllStages && (c.Score.Visits == 0 || !w.stages.Has(c.Score.Stage)) {
		return false
	}
	for i := range w.amounts {
		if !w.amounts[i].holds(c.Score) {
			return false
		}
	}
	return true
}

func (a *amount) holds(s *model.Score) bool {
	n, known := int64(s.Visits), true
	switch a.of {
	case ofVisits:
	case ofSilence:
		n, known = moment.Millis(s.Silence), s.Visits > 0
	default:
		v := s.Value(a.of)
		n, known = v.N, v.OK
	}
	return known && a.least <= n && n <= a.most
}

// Keys of a mapping of conditions. Every other key is the name of a feature.
const (
	whenReason = "reason"
	whenKind   = "kind"
	whenEvent  = "event"
	whenStage  = "stage"
	whenTier   = "tier"
	whenValue  = "value"
	whenVisits = "visits"
	whenSilent = "silent"

	whenLeast = "at_least"
	whenMost  = "at_most"
)

// listing are the keys whose value is a name or a list of names.
var listing = []string{ //nolint:gochecknoglobals // a table
	whenReason, whenKind, whenEvent, whenStage, whenTier, whenValue,
}

// whenTiers are the tiers that an alert can have.
var whenTiers = profile.TierNames()[profile.Watch:] //nolint:gochecknoglobals // a table

// parseWhens are the mappings of a `when` as written: one mapping, or a list in which a name stands for a mapping with
// that reason or kind.
func parseWhens(v any) (all []map[string]any, err error) {
	items, list := v.([]any)
	if !list {
		items = []any{v}
	}
	var reasons, kinds []any
	for _, item := range items {
		switch item := item.(type) {
		case map[string]any:
			if len(item) == 0 {
				return nil, errors.New("states no condition")
			}
			all = append(all, item)
		case string:
			if slices.Contains(profile.KindNames(), item) {
				kinds = append(kinds, item)
			} else {
				reasons = append(reasons, item)
			}
		default:
			return nil, errors.New("must be a mapping of conditions, or a list of mappings, codes of reasons and kinds")
		}
	}
	if len(kinds) > 0 {
		all = append(all, map[string]any{whenKind: kinds})
	}
	if len(reasons) > 0 {
		all = append(all, map[string]any{whenReason: reasons})
	}
	if len(all) == 0 {
		return nil, errors.New("states no condition")
	}
	return all, nil
}

// namesIn are the names of a condition: one, or a list of them.
func namesIn(v any) (names []string, ok bool) {
	items, list := v.([]any)
	if !list {
		items = []any{v}
	}
	for _, item := range items {
		name, text := item.(string)
		if !text {
			return nil, false
		}
		names = append(names, name)
	}
	return names, len(names) > 0
}

// checkOnce notes keys that are set twice in conditions, of which the decoder takes one.
func (f *file) checkOnce(n strictyaml.Node) {
	items, _ := n.List()
	for _, item := range items {
		f.checkOnce(item)
	}
	entries, _ := n.Entries()
	for _, e := range entries {
		if e.First > 0 {
			f.broken("playbooks", "[%d:%d] duplicate key %q", e.Line, e.Column, e.Key)
		}
		f.checkOnce(e.Value)
	}
}

// checkWhens notes what is wrong with a playbook's conditions.
func (f *file) checkWhens(at string, v any) {
	all, err := parseWhens(v)
	if err != nil {
		f.broken(at, "%v", err)
		return
	}
	for _, w := range all {
		for key, v := range sorted(w) {
			at := at + "." + key
			if slices.Contains(listing, key) {
				f.checkNames(at, key, v)
			} else if _, _, err := f.bounds(key, v); err != nil {
				f.broken(at, "%v", err)
			}
		}
		if reasons, _ := namesIn(w[whenReason]); w[whenEvent] != nil && !slices.Equal(reasons, []string{ReasonFriction}) {
			f.broken(at+"."+whenEvent, "goes with the reason %s alone", ReasonFriction)
		}
	}
}

// checkNames notes what is wrong with a condition that is a list of names.
func (f *file) checkNames(at, key string, v any) {
	names, ok := namesIn(v)
	if !ok {
		f.broken(at, "must be a name or a list of names")
	}
	known := map[string][]string{
		whenKind: profile.KindNames(), whenStage: profile.StageNames(), whenTier: whenTiers, whenValue: valueTierNames[:],
	}[key]
	for _, name := range names {
		switch {
		case key == whenReason:
			f.checkCode(at, name)
		case key == whenEvent && !fitsType(name):
			f.broken(at, "%q, must be an event type of 1 to %d bytes of UTF-8", name, maxTypeSize)
		case key != whenEvent && !slices.Contains(known, name):
			f.broken(at, "%q, must be one of %s", name, strings.Join(known, ", "))
		}
	}
}

// bounds are the least and the greatest number that satisfy a condition: a number, or a mapping with at_least and
// at_most.
func (f *file) bounds(key string, v any) (least, most int64, err error) {
	read, err := f.readerOf(key)
	if err != nil {
		return 0, 0, err
	}
	m, mapped := v.(map[string]any)
	if !mapped {
		if key == whenSilent {
			return 0, 0, fmt.Errorf("must have %s or %s", whenLeast, whenMost)
		}
		least, err = read(v)
		return least, least, err
	}
	least, most = -math.MaxInt64, math.MaxInt64
	for name, bound := range sorted(m) {
		to := map[string]*int64{whenLeast: &least, whenMost: &most}[name]
		if to == nil {
			return 0, 0, fmt.Errorf("has %s, must have %s or %s", name, whenLeast, whenMost)
		}
		if *to, err = read(bound); err != nil {
			return 0, 0, err
		}
	}
	if len(m) == 0 {
		err = fmt.Errorf("must have %s or %s", whenLeast, whenMost)
	}
	return least, most, err
}

// readerOf reads the numbers of a condition that is not a list of names.
func (f *file) readerOf(key string) (func(v any) (int64, error), error) {
	switch key {
	case whenVisits:
		return func(v any) (int64, error) {
			n, ok := number(v)
			if !ok || !(n >= 0 && n <= math.MaxUint32) || n != math.Trunc(n) {
				return 0, fmt.Errorf("%v, must be a whole number", v)
			}
			return int64(n), nil
		}, nil
	case whenSilent:
		return func(v any) (int64, error) { return silenceOf(v, f.Horizon) }, nil
	}
	d, ok := f.Features[key]
	if !ok {
		return nil, fmt.Errorf("is no condition and no feature, there are %s, %s, %s and the features",
			strings.Join(listing, ", "), whenVisits, whenSilent)
	}
	kind, _ := featureKind(d.Kind)
	return func(v any) (int64, error) { return curveValue(v, kind) }, nil
}

// horizonsIn is the number of a text such as 2 horizons.
func horizonsIn(text string) (n float64, ok bool) {
	word, ok := strings.CutSuffix(strings.TrimSuffix(text, "s"), " horizon")
	n, err := strconv.ParseFloat(word, 64)
	return n, ok && err == nil && n > 0 && n <= 100
}

// silenceOf reads a silence, in ms.
func silenceOf(v any, horizon time.Duration) (int64, error) {
	text, _ := v.(string)
	if n, ok := horizonsIn(text); ok {
		return int64(math.Round(float64(n * float64(horizon.Milliseconds())))), nil
	}
	d, err := parseDays(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%v, must be a span such as 30d, or as 2 horizons", v)
	}
	return d.Milliseconds(), nil
}

// buildWhens compiles a playbook's conditions.
func (k *Pack) buildWhens(f *file, v any) (all []When) {
	mappings, err := parseWhens(v)
	if err != nil {
		panic("BUG: checked conditions: " + err.Error())
	}
	order, _ := f.featureOrder()
	for _, m := range mappings {
		w := When{
			kinds:  1<<profile.NumKinds - 1,
			stages: profile.AllStages,
			tiers:  1<<profile.NumTiers - 1,
			values: 1<<numValueTiers - 1,
		}
		for key, v := range sorted(m) {
			if names, _ := namesIn(v); slices.Contains(listing, key) {
				w.demand(key, names)
				continue
			}
			a := amount{of: slices.Index(order, key)}
			switch key {
			case whenVisits:
				a.of = ofVisits
			case whenSilent:
				a.of = ofSilence
			}
			a.least, a.most, _ = f.bounds(key, v)
			w.amounts = append(w.amounts, a)
		}
		all = append(all, w)
	}
	return all
}

// demand adds a condition that is a list of names.
func (w *When) demand(key string, names []string) {
	set := func(of []string) (bits uint8) {
		for _, name := range names {
			bits |= 1 << slices.Index(of, name)
		}
		return bits
	}
	switch key {
	case whenReason:
		w.reasons = names
	case whenKind:
		w.kinds = profile.KindSet(set(profile.KindNames()))
	case whenStage:
		w.stages = profile.StageSet(set(profile.StageNames()))
	case whenTier:
		w.tiers = set(profile.TierNames())
	case whenValue:
		w.values = set(valueTierNames[:])
	case whenEvent:
		for _, name := range names {
			w.events = append(w.events, TroubleMark(name))
		}
	}
}

// normalWhens writes checked conditions in one way: a list of mappings, in one order.
func (f *file) normalWhens(v any) any {
	mappings, _ := parseWhens(v)
	all := make([]any, len(mappings))
	for i, m := range mappings {
		m = maps.Clone(m)
		for key, v := range m {
			if names, _ := namesIn(v); slices.Contains(listing, key) {
				list := []any{}
				for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
					list = append(list, name)
				}
				m[key] = list
			} else {
				m[key] = normalBounds(key, v)
			}
		}
		all[i] = m
	}
	key := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic("BUG: checked conditions: " + err.Error())
		}
		return string(b)
	}
	slices.SortFunc(all, func(a, b any) int { return cmp.Compare(key(a), key(b)) })
	return slices.CompactFunc(all, func(a, b any) bool { return key(a) == key(b) })
}

// normalBounds is a number alone where it is both bounds.
func normalBounds(key string, v any) any {
	m, mapped := v.(map[string]any)
	if !mapped {
		return normalValue(v)
	}
	normal := map[string]any{}
	for name, bound := range m {
		text, _ := bound.(string)
		if n, ok := horizonsIn(text); ok {
			normal[name] = strconv.FormatFloat(n, 'g', -1, 64) + " horizons"
		} else {
			normal[name] = normalValue(bound)
		}
	}
	if least, both := normal[whenLeast]; both && least == normal[whenMost] && key != whenSilent {
		return least
	}
	return normal
}
