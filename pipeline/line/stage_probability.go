package line

// readProbability sets a decision's probability: the share of customers of such a class and score who stayed silent for
// a horizon, by the probes of the closed epochs. The probes answer only the question of the newest pack's horizon.
func readProbability(d *decided) string {
	if s := &d.Alert.Score; s.Visits > 0 && d.Pack.Horizon == d.Newest.Horizon {
		d.Alert.Reading = d.Curves.Of(&d.Pack.Model, s)
	}
	return ""
}
