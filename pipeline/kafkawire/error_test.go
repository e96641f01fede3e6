package kafkawire_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

func TestErrorClasses(t *testing.T) {
	fenced := map[kafkawire.Error]bool{22: true, 25: true, 27: true, 47: true, 82: true, 90: true}
	for code := kafkawire.Error(-1); code <= 130; code++ {
		if code == 0 {
			continue
		}
		err := fmt.Errorf("ask: %w", code)
		for class, want := range map[error]bool{
			pipeline.ErrFenced: fenced[code], pipeline.ErrOutOfRange: code == 1, pipeline.ErrUnavailable: !fenced[code] && code != 1,
		} {
			if errors.Is(err, class) != want {
				t.Errorf("code %d is %v: %v", code, class, !want)
			}
		}
		if !errors.Is(err, code) || errors.Is(err, code+1) {
			t.Errorf("code %d is not itself", code)
		}
		if !strings.Contains(err.Error(), strconv.Itoa(int(code))) {
			t.Errorf("code %d is not named in %q", code, err)
		}
	}
}

func TestErrorText(t *testing.T) {
	for code, want := range map[kafkawire.Error]string{
		kafkawire.ConcurrentTransactions: "concurrent transactions (51): ",
		kafkawire.FencedInstance:         "fenced instance id (82): ",
		kafkawire.TransactionAbortable:   "transaction abortable (120): ",
		12345:                            "kafka error 12345",
	} {
		if got := code.Error(); !strings.HasPrefix(strings.ToLower(got), want) {
			t.Errorf("%q does not begin with %q", got, want)
		}
	}
}
