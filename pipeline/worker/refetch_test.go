package worker

import (
	"errors"
	"testing"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// TestRefetchRefusesForeignAlerts: an alert in the outbox that no pack of the partition can have decided stops the
// partition before it is rendered.
func TestRefetchRefusesForeignAlerts(t *testing.T) {
	k, err := pack.Load("saas", nil, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	opens := uint8(len(k.Kinds[profile.Explicit].Opens))
	for name, c := range map[string]struct {
		kind           profile.Kind
		about, opening uint8
		packEpoch      uint8
		refused        bool
	}{
		"a lapse":                 {kind: profile.Lapse, about: 7},
		"an opening":              {kind: profile.Explicit, about: opens - 1, opening: opens - 1},
		"about no opening":        {kind: profile.Explicit, about: opens, refused: true},
		"the floor of no opening": {kind: profile.Explicit, opening: opens, refused: true},
		"of a pack that is not":   {kind: profile.Lapse, packEpoch: 1, refused: true},
	} {
		e := pipeline.Entry{
			Kind: pipeline.EntryAlert, Key: pipeline.AppendKey(nil, nil, []byte("c")), PackEpoch: c.packEpoch,
			Alert: alert.Alert{Decision: scoring.Decision{
				Kind: c.kind, Transition: scoring.Raised, About: c.about, Opening: c.opening,
			}},
		}
		s := &pipeline.Standing{Outbox: []pipeline.Pending{{Encoded: pipeline.AppendEntry(nil, &e)}}}
		err := New(Config{}).refetch(t.Context(), s, []*pack.Pack{k})
		stop, ok := errors.AsType[*pipeline.HardStop](err)
		if (err != nil) != c.refused || ok && stop.Code != "state_unreadable" {
			t.Errorf("%s: %v", name, err)
		}
		if c.packEpoch == 0 && !c.refused {
			alert.NewRenderer(k).AppendAlert(nil, &e.Alert, e.Alert.ID()) // does not panic
		}
	}
}
