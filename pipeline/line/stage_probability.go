package line

// readProbability has a decision say what its score has meant: the share of customers of such a score who stayed silent
// for a horizon, as far as the probes of the closed epochs tell. They answer the question of the newest pack's horizon
// alone.
func readProbability(d *decided) string {
	if s := &d.Alert.Score; s.Visits > 0 && d.Pack.Horizon == d.Newest.Horizon {
		d.Alert.Reading = d.Curve.At(s.Sum())
	}
	return ""
}
