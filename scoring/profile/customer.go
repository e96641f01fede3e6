package profile

// Customer is what a Scorer needs of a customer: its profile, the state of the pack's features, and its facts. A Scorer
// may replace the slices of Features and Facts; the old ones are then free again.
type Customer struct {
	*Profile
	Features []byte
	Facts    Facts  // that the pack carries
	Hash     uint64 // hash of the customer, which decides when it is probed
}
