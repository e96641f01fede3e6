package profile

// Valid reports whether a decoder would accept p.
func (p *Profile) Valid() bool { return p.valid() }
