package delivery_test

import (
	"testing"

	"ebb/pipeline/linetest/cluster"
	"ebb/sinks/delivery"
	"ebb/sinks/sinktest"
)

// TestConformance runs the suite on the plainest destination, the receiver itself.
func TestConformance(t *testing.T) {
	sinktest.Run(t, sinktest.Settings{
		Brokers: cluster.Brokers(t), Session: cluster.Session,
		Open: func(_ *testing.T, r *sinktest.Receiver) sinktest.Subject {
			return sinktest.Subject{Destination: func() delivery.Destination { return r }}
		},
	})
}
