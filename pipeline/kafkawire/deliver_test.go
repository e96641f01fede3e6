package kafkawire_test

import (
	"errors"
	"fmt"
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// TestLostOutweighsRefused: of several leaders' answers the one that leaves the outcome open decides, in whatever order
// they came; only where all refused for reasons that pass may the batches be sent again.
func TestLostOutweighsRefused(t *testing.T) {
	gone := fmt.Errorf("%w: connection reset", pipeline.ErrUnavailable)
	passes := fmt.Errorf("route: %w", kafkawire.LeaderNotAvailable)
	for name, errs := range map[string][]error{
		"lost first": {gone, passes},
		"lost last":  {passes, gone},
		"between":    {passes, gone, passes},
	} {
		var all error
		for _, err := range errs {
			all = kafkawire.Lost(all, err)
		}
		if !errors.Is(all, gone) {
			t.Errorf("%s: %v", name, all)
		}
	}
	if all := kafkawire.Lost(kafkawire.Lost(nil, passes), passes); !errors.Is(all, kafkawire.LeaderNotAvailable) {
		t.Errorf("refused by all: %v", all)
	}
}
