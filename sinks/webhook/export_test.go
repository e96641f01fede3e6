package webhook

import "time"

// Sign is sign.
func (s *Secrets) Sign(id string, at time.Time, body []byte) (string, error) {
	return s.sign(id, at, body)
}
