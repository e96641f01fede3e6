package line

import (
	"fmt"

	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring"
)

// rulingText is a line of the ledger in words, with the id of its alert.
func rulingText(e *pipeline.Entry) string {
	a, r := e.Ruling.About(pipeline.SplitKey(e.Key)), &e.Ruling
	return fmt.Sprintf("%s %v %v %s %s: %v %d of tier %v, at %d, decided at %d, again at %d %x",
		a.Customer, a.Kind, r.Outcome, r.Reason, r.End, a.Transition, a.Sequence, r.Tier, r.At, r.Decided, r.Review, a.ID())
}

// ledger is the ledger of a shelf's outbox.
func (s *shelf) ledger() (all []string) {
	for _, b := range s.outbox {
		if e := pipeline.MustReadEntry(b); e.Kind == pipeline.EntryDecision {
			all = append(all, rulingText(&e))
		}
	}
	return all
}

// checkLedger: what the ledger says of a raise agrees with what was published and with what is held. Each is held before
// it is released or withdrawn, unless history held it; one that is released is published at the same place; one that is
// withdrawn, or is held still, is not.
func checkLedger(r *rapid.T, s *shelf) {
	published, held := map[string]int64{}, map[string]string{}
	for _, b := range s.outbox {
		e := pipeline.MustReadEntry(b)
		switch e.Kind {
		case pipeline.EntryAlert:
			published[fmt.Sprintf("%x", e.Alert.ID())] = e.Release
			continue
		case pipeline.EntryDecision:
		default:
			continue
		}
		a := e.Ruling.About(pipeline.SplitKey(e.Key))
		id, release := fmt.Sprintf("%x", a.ID()), int64(0)
		switch e.Ruling.Outcome {
		case pipeline.Hold:
			held[id] = heldKey(e.Key, a.Kind)
			continue
		case pipeline.Released:
			if release = published[id]; release != e.Release {
				r.Fatalf("released, and published by release %d: %s", release, rulingText(&e))
			}
		case pipeline.Withdrawn, pipeline.Withheld:
			if _, is := published[id]; is && a.Transition == scoring.Raised {
				r.Fatalf("published before: %s", rulingText(&e))
			}
		}
		if _, was := held[id]; e.Ruling.Outcome != pipeline.Withheld && !was && e.Ruling.Reason != InHistory {
			r.Fatalf("never held: %s", rulingText(&e))
		}
		delete(held, id)
	}
	for id, key := range held {
		if _, is := s.raises[key]; !is {
			r.Fatalf("%s is held no more, and the ledger does not say why", id)
		}
	}
	for key := range s.raises {
		if raise, err := pipeline.ReadHeld(pipeline.HeldEntry{Key: []byte(key), Value: s.raises[key]}); err != nil ||
			raise.Reason != pipeline.HeldHistory && !contains(held, key) {
			r.Fatalf("%q is held, %+v, %v, and the ledger does not say so", key, raise, err)
		}
	}
}

func contains(m map[string]string, value string) bool {
	for _, v := range m {
		if v == value {
			return true
		}
	}
	return false
}
