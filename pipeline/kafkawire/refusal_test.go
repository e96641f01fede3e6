package kafkawire_test

import (
	"errors"
	"fmt"
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// TestRefusals: what a person has to act on has a code, whether the program waits meanwhile or stops; and none is both.
func TestRefusals(t *testing.T) {
	for code, want := range map[kafkawire.Error]struct {
		code  string
		stops bool
	}{
		kafkawire.GroupFull:               {"group_full", false},
		kafkawire.UnknownTopicOrPartition: {"topic_missing", false},
		kafkawire.UnstableOffsetCommit:    {"transaction_open", false},
		kafkawire.NotEnoughReplicas:       {"too_few_replicas", false},
		kafkawire.NotEnoughAfterAppend:    {"too_few_replicas", false},
		kafkawire.PolicyViolation:         {"policy_refused", false},
		kafkawire.GroupDenied:             {"permission_missing", false},
		kafkawire.InvalidTxnTimeout:       {"transaction_timeout_refused", true},
		kafkawire.InvalidGroupID:          {"group_id_refused", true},
		kafkawire.UnsupportedFormat:       {"old_message_format", true},
		kafkawire.OffsetMetadataTooLarge:  {"offset_metadata_refused", true},
	} {
		err := fmt.Errorf("join group g: %w", code)
		got, _, do, waits := pipeline.Refused(err)
		stop, stops := errors.AsType[*pipeline.HardStop](err)
		if stops {
			got, do = stop.Code, stop.Do
		}
		if got != want.code || stops != want.stops || waits == stops || do == "" || pipeline.Retry(err) == want.stops {
			t.Errorf("%v: code %q, stops %v, waits %v, do %q", code, got, stops, waits, do)
		}
	}
}
