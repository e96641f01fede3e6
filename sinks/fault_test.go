//go:build !integration

package sinks_test

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/linetest/cluster"
)

// TestInitRacing is no loss of the partition: somebody who started under the same id at the same moment may be a
// zombie.
func TestInitRacing(t *testing.T) {
	c := cluster.Fake(t)
	w := newWorld(t, c.ListenAddrs())
	l := w.log(await(t, w.member("one", func(*kafkasource.Generation) {})))
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.ProducerFenced})
	if err := l.Init(t.Context()); errors.Is(err, pipeline.ErrFenced) || !errors.Is(err, pipeline.ErrUnavailable) {
		t.Errorf("init: %v", err)
	}
	if err := l.Init(t.Context()); err != nil {
		t.Errorf("init again: %v", err)
	}
}
