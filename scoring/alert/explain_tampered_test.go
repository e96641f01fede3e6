package alert_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// free is what only the alert holds about its customer, so that another value may be true too: alerts that differ only
// there are those of two customers.
var free = []*regexp.Regexp{
	regexp.MustCompile(`^/cause(/(time|id|event_type|partition|offset))? `),      // where it was read
	regexp.MustCompile(`^/episode `),                                             // how many there were before
	regexp.MustCompile(`^/(time|opened_at|expires_at) of another kind `),         // except where it is raised
	regexp.MustCompile(`^/opened_at of a lapse that has (recovered|escalated) `), // when it was raised
	regexp.MustCompile(`^/time of a lapse that has recovered `),                  // by less than its sentence shows
	regexp.MustCompile(`^/score/visits `),                                        // at most part of a sentence
	regexp.MustCompile(`^/probes `),                                              // if still enough, or still too few
	regexp.MustCompile(`^/score/features[ /]`),                                   // where no curve and no amount reads it
	regexp.MustCompile(`^/score/inputs/(regularity|(silent|idle|tenure)_ms) `),   // by too little to show
	regexp.MustCompile(`^/playbook/step of `),                                    // how often it was named before
	regexp.MustCompile(`^/playbook/supersedes `),                                 // what was in force before
	regexp.MustCompile(`^/value/(currency|other) `),                              // of its money, among others'
	// whether onboarding has ended, for instance
	regexp.MustCompile(`^/score/stage `),
	regexp.MustCompile(`^/(tier|previous_tier) `),                               // lifted by other episodes
	regexp.MustCompile(`^/about of another kind that has (recovered|expired) `), // one of several that were open
}

// tampered are other values in place of one.
func tampered(v any) (all []any) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return []any{n + 1, n - 1}
		}
		f, _ := v.Float64()
		return []any{f + 0.001, f - 1}
	case string:
		for _, names := range [][]string{
			profile.TierNames(), profile.StageNames(), profile.KindNames(), scoring.TransitionNames(), openings,
		} {
			if i := slices.Index(names, v); i >= 0 {
				all = append(all, names[(i+1)%len(names)], names[(i+2)%len(names)])
			}
		}
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			all = append(all, string(alert.AppendTime(nil, at.Add(-24*time.Hour).UnixMilli())))
		}
		return append(all, v+"x")
	case bool:
		return []any{!v}
	case nil:
		return []any{1}
	}
	return nil
}

// openings are codes of some openings, used in place of others of their kind.
var openings = []string{
	"payment_failed", "payment_failed_again", "payment_failed_finally",
	"cancellation_started", "cancellation_requested", "ticket_escalated", "dispute_open", "incident",
}

// eachPart calls a function for every part of a tree of JSON, with a setter that replaces it, or removes it from an
// object.
func eachPart(at string, tree any, each func(at string, v any, set func(any), remove func())) {
	switch v := tree.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			each(at+"/"+key, v[key], func(other any) { v[key] = other }, func() { delete(v, key) })
			eachPart(at+"/"+key, v[key], each)
		}
	case []any:
		for i := range v {
			each(fmt.Sprintf("%s/%d", at, i), v[i], func(other any) { v[i] = other }, nil)
			eachPart(fmt.Sprintf("%s/%d", at, i), v[i], each)
		}
	}
}

// TestExplainFindsWhatIsTampered: every part of an alert with another value, or missing, is found, except for free
// parts.
func TestExplainFindsWhatIsTampered(t *testing.T) {
	needed := make([]bool, len(free))
	for n, k := range everyPack(t) {
		r := alert.NewRenderer(k)
		check := func(tree any, what string) {
			text := scoringtest.Must(json.Marshal(tree))
			if x, err := r.Explain(text); err != nil || len(x.Differences) > 0 {
				return
			}
			i := slices.IndexFunc(free, func(f *regexp.Regexp) bool { return f.MatchString(what) })
			if i < 0 {
				t.Fatalf("%s is not found in %s", what, text)
			}
			needed[i] = true
		}
		for i, a := range manyDecided(k, uint64(n), 20, 40*scoringtest.Day) {
			if i%37 > 0 && a.Supersedes == "" {
				continue
			}
			var tree any
			d := json.NewDecoder(bytes.NewReader(r.AppendAlert(nil, &a, a.ID())))
			d.UseNumber()
			if err := d.Decode(&tree); err != nil {
				t.Fatal(err)
			}
			kind := ""
			if a.Kind != profile.Lapse && a.Transition != scoring.Raised {
				kind = " of another kind"
				if a.Transition == scoring.Recovered || a.Transition == scoring.Expired {
					kind += " that has " + a.Transition.String()
				}
			} else if a.Kind == profile.Lapse && a.Transition.Ends() {
				kind = " of a lapse that has recovered"
			} else if a.Transition == scoring.Escalated {
				kind = " of a lapse that has escalated"
			}
			eachPart("", tree, func(at string, was any, set func(any), remove func()) {
				for _, other := range tampered(was) {
					set(other)
					check(tree, fmt.Sprintf("%s%s %v instead of %v", at, kind, other, was))
				}
				if remove != nil {
					remove()
					check(tree, fmt.Sprintf("%s%s gone", at, kind))
				}
				set(was)
			})
		}
	}
	for i, f := range free {
		if !needed[i] {
			t.Errorf("%s is always found", strings.Trim(f.String(), "^"))
		}
	}
}
