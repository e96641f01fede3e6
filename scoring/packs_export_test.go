package scoring

// Adds is what each factor adds to s before the cap, by the code of its reason. The model has one factor for a code.
func (m *Model) Adds(s *Score) map[string]float64 {
	each := make([]float64, len(m.Factors))
	m.factorSum(s.Values, s.Stage, each)
	adds := make(map[string]float64, len(each))
	for i := range m.Factors {
		adds[m.Factors[i].Code] = each[i]
	}
	return adds
}
