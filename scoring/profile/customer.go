package profile

// Customer is what a Scorer needs of a customer: its profile, and the state of the pack's features. A Scorer may
// replace the slice of Features; the old one is then free again.
type Customer struct {
	*Profile
	Features []byte
	Hash     uint64 // hash of the customer, which decides when it is probed
}
