package profile

// Customer is a customer as a Scorer sees it: its profile, and the state of the pack's features. A Scorer may give
// Features another slice; the one it was given is then free again.
type Customer struct {
	*Profile
	Features []byte
	Hash     uint64 // hash of the customer, which decides when it is probed
}
