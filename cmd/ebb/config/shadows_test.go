package config

import (
	"testing"

	"ebb/cmd/ebb/advice"
)

// TestShadowConfig: a shadow begins with the oldest record and never stops for poison, whatever the main group's
// settings.
func TestShadowConfig(t *testing.T) {
	var c Config
	c.Kafka.Group, c.Kafka.Alerts, c.Kafka.Shadow, c.Kafka.Start = "g", "alerts", "tried", "latest"
	c.Pack, c.Shadows = Pack{Name: "retail", Horizon: 30 * advice.Day}, map[string]string{"a": "saas"}
	c.Input.PoisonBreaker, c.HTTP.Listen = 7, ":1"
	got := c.Shadow("a")
	if k := got.Kafka; k.Group != "g.shadow.a" || k.Alerts != "tried" || k.Start != "earliest" {
		t.Errorf("group %s, alerts to %s, from %s on", k.Group, k.Alerts, k.Start)
	}
	if got.Pack.Name != "saas" || got.Pack.Horizon != 0 || got.Shadows != nil || got.Input.PoisonBreaker != 0 ||
		got.HTTP.Listen != "" {
		t.Errorf(
			"pack %+v, shadows %v, breaker %v, listens on %q",
			got.Pack,
			got.Shadows,
			got.Input.PoisonBreaker,
			got.HTTP.Listen,
		)
	}
}
