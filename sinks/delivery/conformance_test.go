package delivery_test

import (
	"testing"

	"ebb/sinks/delivery"
	"ebb/sinks/sinktest"
)

// TestConformance runs the suite on the plainest destination, the receiver itself.
func TestConformance(t *testing.T) {
	sinktest.Run(t, sinktest.Settings{
		Brokers: brokers(t), Session: session,
		Open: func(_ *testing.T, r *sinktest.Receiver) sinktest.Subject {
			return sinktest.Subject{Destination: func() delivery.Destination { return r }}
		},
	})
}
