package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/chaos/breakable"
)

// otherInput starts a second process of the group that reads another topic. Both say it.
func otherInput(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	other := t.input + "-other"
	if err := errors.Join(t.create(other, t.partitions), t.create(other+".dlq", t.partitions)); err != nil {
		return err
	}
	stop := t.flow(400)
	t.done()
	m, err := t.start("other", other)
	if err == nil {
		err = errors.Join(t.says(t.ebb, "group_taken"), t.says(m, "group_taken"))
	}
	if err := errors.Join(err, stop()); err != nil {
		return err
	}
	if err := t.kept(); err != nil {
		return err
	}
	m.kill()
	return t.goesOn("the other stopped, ebb started again")
}

// newerProtocol lets a consumer of KIP-848 join the group. Its topic is the same.
func newerProtocol(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	stop := t.flow(400)
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(t.kafka), kgo.ConsumerGroup(t.group), kgo.ConsumeTopics(t.input), kgo.ServerSideBalancer(),
		kgo.Balancers(kgo.RangeBalancer()), kgo.DisableAutoCommit(), kgo.ClientID("newer"),
	)
	if err != nil {
		return errors.Join(err, stop())
	}
	t.done()
	polling, end := context.WithCancel(t.ctx)
	go func() {
		for polling.Err() == nil {
			cl.PollFetches(polling)
		}
	}()
	err = errors.Join(t.says(t.ebb, "group_taken"), stop())
	end()
	cl.Close() // leaves the group
	if err != nil {
		return err
	}
	if err := t.kept(); err != nil {
		return err
	}
	return t.goesOn("the consumer stopped, ebb started again")
}

// advises waits until a process advises something.
func (t *trial) advises(m *member, what string) error {
	return breakable.Until(t.ctx, bound, "it advises "+what, func(context.Context) error {
		if do := m.advice().Do; !strings.Contains(do, what) {
			return fmt.Errorf("it advises %q; log: %s", do, m.tail(3))
		}
		return nil
	})
}
