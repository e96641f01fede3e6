package pipeline

import (
	"encoding/base64"
	"fmt"

	"ebb/scoring"
)

// Learnt is what a partition has learnt from the probes of its customers.
type Learnt struct{ scoring.Calibration }

// MarshalText encodes l for JSON.
func (l *Learnt) MarshalText() ([]byte, error) {
	return base64.RawStdEncoding.AppendEncode(nil, scoring.AppendCalibration(nil, &l.Calibration)), nil
}

// UnmarshalText is the inverse of MarshalText.
func (l *Learnt) UnmarshalText(text []byte) error {
	b, err := base64.RawStdEncoding.AppendDecode(nil, text)
	if err == nil {
		err = scoring.ReadCalibration(b, &l.Calibration)
	}
	if err != nil {
		return fmt.Errorf("what was learnt from probes: %w", err)
	}
	return nil
}
