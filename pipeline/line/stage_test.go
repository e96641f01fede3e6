package line

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// TestPass: a stage that withholds ends the way of a decision. What follows of an episode that was never raised in
// public is withheld to its end, and the next episode is not.
func TestPass(t *testing.T) {
	quiet := true
	through := []stage{withholdUnraised, func(*decided) string {
		if quiet {
			return "quiet"
		}
		return ""
	}, withholdPublished}
	c := profile.Customer{Profile: &profile.Profile{}}
	var got []string
	for _, d := range []struct {
		kind       profile.Kind
		transition scoring.Transition
		quiet      bool
		offset     int64
	}{
		{profile.Lapse, scoring.Raised, true, 10},
		{profile.Explicit, scoring.Raised, false, 11},
		{profile.Lapse, scoring.Escalated, false, 12},
		{profile.Explicit, scoring.Recovered, false, 13},
		{profile.Lapse, scoring.Recovered, false, 14},
		{profile.Lapse, scoring.Raised, false, 4}, // published before a rollback
		{profile.Lapse, scoring.Recovered, false, 15},
	} {
		quiet = d.quiet
		on := decided{Customer: &c, Pack: &pack.Pack{}, Mark: &pipeline.Mark{Offset: 5}}
		on.Offset = d.offset
		on.Alert.Kind, on.Alert.Transition = d.kind, d.transition
		got = append(got, pass(through, &on))
	}
	if diff := cmp.Diff([]string{"quiet", "", Unraised, "", Unraised, Repeated, ""}, got); diff != "" {
		t.Error(diff)
	}
	if c.Withheld != 0 {
		t.Errorf("%b is left", c.Withheld)
	}
}

// TestStageOfPublished: a decision covered by the published position is not published again.
func TestStageOfPublished(t *testing.T) {
	mark := pipeline.Mark{Offset: 5, Fired: pipeline.Due{Minute: 7, Hash: 3}}
	for name, c := range map[string]struct {
		offset int64
		due    pipeline.Due
		want   string
	}{
		"by an event below":      {offset: 4, want: Repeated},
		"by an event from there": {offset: 5},
		"by a sweep before":      {offset: -1, due: pipeline.Due{Minute: 7, Hash: 3}, want: Repeated},
		"by a sweep after":       {offset: -1, due: pipeline.Due{Minute: 7, Hash: 4}},
	} {
		d := decided{Mark: &mark}
		d.Offset, d.Due = c.offset, c.due
		if got := withholdPublished(&d); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
