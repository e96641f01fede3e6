package check

import (
	"testing"

	"ebb/cmd/ebb/config"
	"ebb/pipeline"
)

// TestPoisonOff: check does not warn of a breaker that never stops anything, however bad the input.
func TestPoisonOff(t *testing.T) {
	for breaker, warnings := range map[float64]int{0: 0, 0.5: 1, 0.999: 1, 1: 0} {
		cfg := config.Default()
		cfg.Input.PoisonBreaker = breaker
		c := &checking{cfg: cfg}
		c.checkPoison(0, &pipeline.Meta{Poison: pipeline.Poison{Count: pipeline.PoisonWindow}})
		if len(c.findings) != warnings {
			t.Errorf("breaker %g: %+v", breaker, c.findings)
		}
	}
}
