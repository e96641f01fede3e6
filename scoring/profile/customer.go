package profile

// Customer is what a Scorer needs of a customer: its profile, the state of the pack's features, its facts, and how it may be
// written to. A Scorer may replace the slices of Features, Facts and Contact; the old ones are then free again.
type Customer struct {
	*Profile
	Features []byte
	Facts    Facts // that the pack carries
	Contact  Contact
	Hash     uint64 // hash of the customer, which decides when it is probed
}

// Contacted reports whether nothing is known of the customer but how it may be written to.
func (c *Customer) Contacted() bool {
	return len(c.Contact) > 0 && c.Visits == 0 && c.Friction == 0 && c.Touched == 0 && len(c.Features) == 0
}
