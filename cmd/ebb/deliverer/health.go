package deliverer

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/probes"
	"ebb/pipeline/kafkawire"
	"ebb/sinks/delivery"
)

// hungAfter is how long an attempt may outlast its timeout.
const hungAfter = time.Minute

// present is the member, once there is one, and why there is none.
func (d *Deliverer) present() (m *delivery.Member, awaited string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.member, d.awaited
}

// live is the check of /livez: no attempt has been under way for longer than it may.
func (d *Deliverer) live() error {
	m, _ := d.present()
	if m == nil {
		return nil
	}
	return m.Hung(d.cfg.Deliver.Timeout + hungAfter)
}

// ready is the answer of /readyz: the process is a member of a generation, and all of its lanes deliver.
func (d *Deliverer) ready() probes.Readiness {
	m, awaited := d.present()
	if m == nil {
		return probes.Readiness{Group: d.cfg.DeliverGroup(), Reason: cmp.Or(awaited, notMember)}
	}
	s := m.Status()
	r := probes.Readiness{
		Ready: s.Generation > 0 && !s.Draining, Group: d.cfg.DeliverGroup(), Generation: s.Generation,
	}
	switch {
	case s.Draining:
		r.Reason = "draining"
	case s.Generation == 0:
		r.Reason = cmp.Or(s.Waits, notMember)
	}
	for _, n := range slices.Sorted(maps.Keys(s.Lanes)) {
		lane := s.Lanes[n]
		r.Ready = r.Ready && lane.Phase == delivery.Running
		at := probes.PartitionState{Partition: n, State: string(lane.Phase), Reason: lane.Reason, Next: lane.Next}
		if lane.Known {
			at.Lag = &lane.Behind
		}
		r.Partitions = append(r.Partitions, at)
	}
	return r
}

const notMember = "not a member of the group"

// connectPatiently finds the topics, and waits while Kafka does not answer.
func (d *Deliverer) connectPatiently(ctx context.Context) error {
	return connect.Patiently(ctx, d.log, d.connect, func(reason string) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.awaited = reason
	})
}

// connect finds the two topics. Errors: pipeline.ErrUnavailable, others where they are missing or not allowed.
func (d *Deliverer) connect(ctx context.Context) error {
	_, err := connect.FindTopic(ctx, d.kafka, d.cfg, d.cfg.Kafka.Alerts, kafkawire.Read)
	if err == nil {
		_, err = connect.FindTopic(ctx, d.kafka, d.cfg, d.cfg.Kafka.UndeliveredTopic(), kafkawire.Write)
	}
	return connect.WithCreate(err, d.opts.CreateLine)
}
