package scoring

// Adds is what each factor adds to s before the cap, by the code of its reason. The pack has one factor for a code.
func (k *Pack) Adds(s *Score) map[string]float64 {
	each := make([]float64, len(k.Factors))
	k.factorSum(s.Values, s.Stage, each)
	adds := make(map[string]float64, len(each))
	for i := range k.Factors {
		adds[k.Factors[i].Code] = each[i]
	}
	return adds
}
