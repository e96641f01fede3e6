package check

import (
	"testing"

	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/redisstore"
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

// TestPolicyOfWhatIsVolatile: no key has a time to live, so what drops such keys is worth a warning.
func TestPolicyOfWhatIsVolatile(t *testing.T) {
	for policy, want := range map[string]string{
		"noeviction": OK, "volatile-lru": Warning, "volatile-ttl": Warning, "allkeys-lru": Problem, "": OK,
	} {
		c := &checking{cfg: config.Default()}
		c.checkPolicy(&redisstore.Policy{Address: "redis:6379", Eviction: policy, Role: "master", AOF: true})
		if len(c.findings) != 1 || c.findings[0].Status != want {
			t.Errorf("%s: %+v, want %s", policy, c.findings, want)
		}
	}
}
