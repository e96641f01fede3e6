package line

// readProbability sets a decision's probability: the share of customers with such a score who stayed silent for a
// horizon, by the probes of the closed epochs. The probes answer only the question of the newest pack's horizon.
func readProbability(d *decided) string {
	if s := &d.Alert.Score; s.Visits > 0 && d.Pack.Horizon == d.Newest.Horizon {
		d.Alert.Reading = d.Curve.At(s.Sum())
	}
	return ""
}
