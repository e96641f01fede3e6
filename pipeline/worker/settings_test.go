package worker_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// otherSettings differ from the usual ones in all that decides: larger records are refused, a mapping takes every type
// for one, events are late, and customers are removed sooner.
func otherSettings() pipeline.Settings {
	s := settings(0)
	s.MaxRecordBytes, s.RetentionMillis = 1<<10, retention.Milliseconds()/2
	spec := decode.MappingSpec{
		All:      true,
		Customer: decode.PartSpec{Paths: []string{"/customer"}}, Type: decode.PartSpec{Default: "visit"},
		Time: decode.PartSpec{Paths: []string{"/time"}}, TimeAs: "auto", ValueAs: "decimal",
	}
	s.Mapping = spec.Text()
	return s
}

// TestSettingsAreOfThen: changed settings begin with the first record that they are configured for. What was decided
// before under others is decided again under those, whether the state is an older copy or is built anew, and nothing is
// published twice.
func TestSettingsAreOfThen(t *testing.T) {
	in := newInput(t, 4, 160)
	changed := in.records[90].Offset
	for name, disturb := range map[string]func(s *schedule, older func()) error{
		"nothing":             func(*schedule, func()) error { return nil },
		"an older copy":       func(_ *schedule, older func()) error { older(); return nil },
		"rebuilt":             func(s *schedule, _ func()) error { s.store.Empty(0); return s.seedStore(0) },
		"rebuilt, once again": func(s *schedule, _ func()) error { s.store.Empty(0); return s.seedStore(in.records[0].Offset) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fresh := *in
				fresh.want = fold{recording: true, published: map[string][]string{}}
				s := &schedule{trial: newTrial(&fresh, rand.New(rand.NewPCG(4, 7)))}
				defer s.finish()
				s.begin(20, in.records[30].Offset)
				s.untilEnded()
				older := s.store.Copy(0)
				s.begin(20, changed)
				s.untilEnded()
				s.settings = otherSettings()
				s.begin(20, in.end)
				s.untilEnded()
				if s.publishedRecords(); s.wrong != nil {
					t.Fatal(s.wrong)
				}
				want, err := s.left()
				if err != nil {
					t.Fatal(err)
				}
				fresh.want.state, fresh.want.recording = want, false
				if n := strings.Count(strings.Join(fresh.want.published["control/"], ""), `"kind":"settings"`); n != 2 {
					t.Fatalf("%d control records of settings, want 2", n)
				}
				if err := disturb(s, older); err != nil {
					t.Fatal(err)
				}
				if err := s.conclude(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestSettingsThatAreLost: where the control records do not lead to the settings of the published position, nothing is
// decided.
func TestSettingsThatAreLost(t *testing.T) {
	in := newInput(t, 4, 100)
	synctest.Test(t, func(t *testing.T) {
		fresh := *in
		fresh.want = fold{recording: true, published: map[string][]string{}}
		s := &schedule{trial: newTrial(&fresh, rand.New(rand.NewPCG(4, 7)))}
		defer s.finish()
		s.begin(20, in.records[40].Offset)
		s.untilEnded()
		s.settings = otherSettings()
		s.begin(20, in.end)
		s.untilEnded()
		kept := s.ledger[:0]
		for _, r := range s.ledger {
			if !strings.Contains(string(r.Value), `"kind":"settings"`) ||
				strings.Contains(string(r.Value), `"lateness_ms":3600000`) {
				kept = append(kept, r)
			}
		}
		s.ledger = kept
		s.store.Empty(0)
		if err := s.seedStore(0); err != nil {
			t.Fatal(err)
		}
		s.begin(20, in.end)
		s.untilEnded()
		wantStop(t, s.wrong, "control_lost")
	})
}

func wantStop(t *testing.T, err error, code string) {
	t.Helper()
	if stop, ok := errors.AsType[*pipeline.HardStop](err); !ok || stop.Code != code {
		t.Fatalf("ended with %v, want %s", err, code)
	}
}
