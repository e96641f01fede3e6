package kafkawire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// TestTimeIsUpInAnAttempt: where the time allowed ends in the middle of an attempt, the error is what came of the one
// before; but never what a broker answered to that one, for this one may have taken effect.
func TestTimeIsUpInAnAttempt(t *testing.T) {
	for name, c := range map[string]struct{ first, want error }{
		"closed":  {fmt.Errorf("%w: %w", pipeline.ErrUnavailable, io.EOF), io.EOF},
		"refused": {kafkawire.LeaderNotAvailable, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := kafkawire.Open(kafkawire.Config{Brokers: []string{"127.0.0.1:1"}})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			attempts := 0
			err = kafkawire.AskSafe(t.Context(), client, time.Second, func(ctx context.Context) error {
				if attempts++; attempts == 1 {
					return c.first
				}
				<-ctx.Done()
				return fmt.Errorf("%w: %w", pipeline.ErrUnavailable, ctx.Err())
			})
			if attempts != 2 || !errors.Is(err, c.want) || !errors.Is(err, pipeline.ErrUnavailable) {
				t.Errorf("after %d attempts: %v", attempts, err)
			}
		})
	}
}
