package pack

// Tiers are the risk scores, out of 100, at which the tiers begin. Below Watch a customer is healthy.
type Tiers struct {
	Watch    float64 `json:"watch"    yaml:"watch"`
	AtRisk   float64 `json:"at_risk"  yaml:"at_risk"`
	Critical float64 `json:"critical" yaml:"critical"`
}

// rise reports whether the tiers begin one above the other.
func (t *Tiers) rise() bool {
	return 0 < t.Watch && t.Watch < t.AtRisk && t.AtRisk < t.Critical && t.Critical < 100
}
