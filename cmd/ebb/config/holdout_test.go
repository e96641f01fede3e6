package config

import (
	"testing"

	"ebb/pipeline"
)

// TestHoldoutDecides: a holdout is part of what decides, and none by default; a shadow holds nobody out, since nobody acts
// on its alerts.
func TestHoldoutDecides(t *testing.T) {
	c := Default()
	if got := c.Decides().Holdout; got.On() || c.HoldoutTopics() != nil {
		t.Errorf("by default: %+v, topics %v", got, c.HoldoutTopics())
	}
	c.Holdout.Enabled, c.Kafka.Group = true, "shop"
	want := pipeline.Holdout{Share: 100_000, Salt: "shop", EpochMillis: 90 * pipeline.DayMillis}
	if got := c.Decides().Holdout; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	c.Holdout.Salt = "both shops"
	if got := c.Decides().Holdout; got.Salt != "both shops" {
		t.Errorf("%+v", got)
	}
	c.Shadows = map[string]string{"next": "any"}
	if got := c.Shadow("next").Decides().Holdout; got.On() {
		t.Errorf("of a shadow: %+v", got)
	}
	if got := len(c.Topics()) - len(Default().Topics()); got != 3 {
		t.Errorf("%d more topics: %v", got, c.Topics())
	}
}
