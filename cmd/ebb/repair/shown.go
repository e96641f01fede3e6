package repair

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
	"ebb/sinks/format"
)

// shown is what the topics show of the partitions to be repaired.
type shown struct {
	alerts, dlq topicShown
	decisions   topicShown
	heldOut     topicShown        // alerts about customers who are held out; nothing is certain where there is no such topic
	ids         map[string]bool   // ids of alerts that were looked for, and whether they are there
	rulings     map[string]bool   // lines of the ledger that were looked for, and whether they are there
	letters     map[letter]int    // quarantined records that were looked for, and how often they are there
	alerted     map[int]bool      // input partitions of which an alert of the group names a record
	beyond      map[int]string    // by input partition: an alert of a record that its state has not folded
	deadlines   []deadline        // alerts of deadlines that not every state has passed
	others      int               // further groups whose quarantined records are in the same DLQ
	times       map[letter]int64  // of the quarantined records in the input
	states      map[int]*standing // by input partition
}

// topicShown is how far the absence of a record from a topic shows that it was never there.
type topicShown struct {
	name  string
	keeps bool  // it has never deleted anything, and does not compact
	from  int64 // ms: it has deleted nothing of this time or later; MaxInt64: nothing is certain
}

type letter struct {
	partition int
	offset    int64
}

type deadline struct {
	key  []byte
	time int64
}

// patience is how long a topic is read on behind an open transaction.
const patience = time.Minute

// margin is how far behind the watermark an alert's time may lie beside the allowed lateness.
const margin = 24 * time.Hour

// read reads the alert topic and the DLQ from where the oldest of the outbox entries may stand.
func (g *Group) read(ctx context.Context, wanted map[int32]*standing) (*shown, error) {
	s := &shown{
		ids:     map[string]bool{},
		rulings: map[string]bool{},
		letters: map[letter]int{},
		alerted: map[int]bool{},
		beyond:  map[int]string{},
		others:  len(g.others),
		times:   map[letter]int64{},
		states:  map[int]*standing{},
	}
	alertsFrom := int64(math.MaxInt64)
	worked := true
	for n, w := range wanted {
		s.states[int(n)] = w
		worked = worked && w.state.Exists
		alertsFrom = min(alertsFrom, s.want(w, g.cfg.Time.Lateness))
	}
	if !worked { // whether any alert names it is asked of the whole topic
		alertsFrom = 0
	}
	if err := g.readAlerts(ctx, s, alertsFrom); err != nil {
		return nil, err
	}
	if err := g.readDecisions(ctx, s); err != nil {
		return nil, err
	}
	if len(s.letters) == 0 {
		return s, nil
	}
	return s, g.readLetters(ctx, s)
}

// want notes what to look for of a partition, and returns the oldest time that an alert of it may have.
func (s *shown) want(w *standing, lateness time.Duration) (from int64) {
	m := &w.state.Meta
	from = m.Clock.Watermark - (lateness + margin).Milliseconds()
	for _, b := range w.state.Outbox {
		e, err := pipeline.ReadEntry(b)
		if err != nil {
			continue // the proof stops there
		}
		switch e.Kind {
		case pipeline.EntryAlert, pipeline.EntryErased:
			s.ids[alertID(&e)] = false
			from = min(from, e.Alert.At)
			if e.Alert.At > m.WallMillis-margin.Milliseconds() { // published as of the clock, where that was behind
				from = min(from, m.WallMillis-2*margin.Milliseconds())
			}
		case pipeline.EntryQuarantine:
			s.letters[letter{w.id.Partition, e.Offset}] = 0
		case pipeline.EntryDecision:
			s.rulings[ruling(&e)] = false
		default:
		}
	}
	return max(0, from)
}

// ruling is a line of the ledger as it is published.
func ruling(e *pipeline.Entry) string {
	out, _ := (&format.Renderer{}).Render(nil, e, nil)
	return string(out.Value)
}

func alertID(e *pipeline.Entry) string {
	id := e.ID()
	return hex.EncodeToString(id[:])
}

// keeps finds out what a topic may have deleted.
func (g *Group) keeps(ctx context.Context, t *kafkawire.Topic) (k topicShown, appendTime bool, err error) {
	k = topicShown{name: t.Name, from: math.MaxInt64}
	cfg, err := g.Kafka.TopicConfig(ctx, t.Name)
	if err != nil {
		return k, false, fmt.Errorf("what %s keeps decides what its records prove: %w", t.Name, err)
	}
	if strings.Contains(cfg.CleanupPolicy, "compact") {
		return k, cfg.AppendTime, nil
	}
	k.keeps = true
	for n := range t.Partitions {
		start, _, err := g.Kafka.Bounds(ctx, t.Name, n)
		if err != nil {
			return k, false, err
		}
		k.keeps = k.keeps && start == 0
	}
	if cfg.RetentionBytes < 0 && !cfg.AppendTime {
		if k.from = connect.KeepsFrom(cfg, time.Now()); k.from != connect.KeepsAll {
			k.from += margin.Milliseconds() // it may have been shorter
		} else {
			k.from = math.MaxInt64 // since when is not told
		}
	}
	return k, cfg.AppendTime, nil
}

// absent is what a record that is not there shows, by its time.
func (k *topicShown) absent(at int64) pipeline.Seen {
	if k.keeps || at >= k.from {
		return pipeline.Absent
	}
	return pipeline.Untold
}

// readAlerts reads the topics of alerts from a time on.
func (g *Group) readAlerts(ctx context.Context, s *shown, from int64) error {
	topics, err := connect.AlertTopics(ctx, g.Kafka, g.cfg, kafkawire.Read, kafkawire.DescribeConfigs)
	if err != nil {
		return err
	}
	s.heldOut.from = math.MaxInt64
	shows := []*topicShown{&s.alerts, &s.heldOut}
	for i := range topics {
		if err := g.readAlertTopic(ctx, s, &topics[i], shows[i], from); err != nil {
			return err
		}
	}
	return nil
}

func (g *Group) readAlertTopic(ctx context.Context, s *shown, t *kafkawire.Topic, shows *topicShown, from int64) error {
	keeps, appendTime, err := g.keeps(ctx, t)
	if err != nil {
		return err
	}
	if *shows = keeps; appendTime {
		from = 0
	}
	source := format.Source(g.cfg.Kafka.Group, g.cfg.Kafka.Input)
	return g.scan(ctx, t, from, func(r *pipeline.Record) { s.takeAlert(r, source) })
}

// readDecisions reads the ledger, if a line of it is looked for. They are few, and it is the group's own topic.
func (g *Group) readDecisions(ctx context.Context, s *shown) error {
	if len(s.rulings) == 0 {
		return nil
	}
	topic, err := connect.FindTopic(ctx, g.Kafka, g.cfg, g.cfg.Kafka.Decisions, kafkawire.Read, kafkawire.DescribeConfigs)
	if err != nil {
		return err
	}
	if s.decisions, _, err = g.keeps(ctx, &topic); err != nil {
		return err
	}
	return g.scan(ctx, &topic, 0, func(r *pipeline.Record) {
		if _, ok := s.rulings[string(r.Value)]; ok {
			s.rulings[string(r.Value)] = true
		}
	})
}

// scan reads a topic from the first record that is not older than from (ms) to its end.
func (g *Group) scan(ctx context.Context, t *kafkawire.Topic, from int64, take func(*pipeline.Record)) error {
	for n := range t.Partitions {
		start, end, err := g.Kafka.Bounds(ctx, t.Name, n)
		if err != nil {
			return err
		}
		if from > 0 {
			if start, err = g.Kafka.OffsetAt(ctx, t.Name, n, time.UnixMilli(from)); err != nil {
				return err
			}
		}
		what := fmt.Sprintf("reading %s/%d", t.Name, n)
		scan := kafkascan.Scan{
			Client: g.Kafka, Topic: t.Name, Partition: n, From: start, To: end, Patience: patience,
			Record: func(r *pipeline.Record) error { take(r); return nil },
			Answered: func(next int64) error {
				if g.Progress != nil {
					g.Progress(what, next-start, end-start)
				}
				return nil
			},
			Waiting: func(held *kafkascan.HeldUpError, _ time.Duration) error { g.waits(held); return nil },
			Lost:    func(int64, int64) {}, // retention goes on
		}
		if err := scan.Run(ctx); err != nil {
			return fmt.Errorf("read %s/%d: %w", t.Name, n, err)
		}
	}
	return nil
}

// saidAlert holds the fields of an alert that are compared.
type saidAlert struct {
	Tenant   string    `json:"tenant"`
	Customer string    `json:"customer"`
	Time     time.Time `json:"time"`
	Cause    *struct { // nil: a deadline
		Partition int   `json:"partition"`
		Offset    int64 `json:"offset"`
	} `json:"cause"`
}

// takeAlert notes an alert of the group.
func (s *shown) takeAlert(r *pipeline.Record, source string) {
	id, from := format.Origin(r.Headers)
	if string(from) != source {
		return
	}
	if _, ok := s.ids[string(id)]; ok {
		s.ids[string(id)] = true
	}
	var a saidAlert
	if json.Unmarshal(r.Value, &a) != nil {
		return
	}
	c := a.Cause
	if c == nil {
		s.takeDeadline(&a, a.Time.UnixMilli())
		return
	}
	s.alerted[c.Partition] = true
	if w := s.states[c.Partition]; w != nil && w.state.Exists && c.Offset >= w.state.Meta.Next {
		s.beyond[c.Partition] = fmt.Sprintf("alert %s of record %d is published", id, c.Offset)
	}
}

// takeDeadline keeps an alert whose deadline a state may not have passed.
func (s *shown) takeDeadline(a *saidAlert, at int64) {
	for _, w := range s.states {
		if w.state.Exists && at > w.state.Meta.Clock.Watermark && at/pipeline.MinuteMillis > w.state.Meta.Clock.Fired.Minute {
			s.deadlines = append(s.deadlines, deadline{pipeline.AppendKey(nil, []byte(a.Tenant), []byte(a.Customer)), at})
			return
		}
	}
}

// farther refuses a state that is older than what was published.
func (s *shown) farther(ctx context.Context, g *Group, w *standing) error {
	m := &w.state.Meta
	older := func(what string) error {
		return &pipeline.UnprovenError{
			Why: fmt.Sprintf("%s, and the state in Redis is at %d: it is older than what was published", what, m.Next),
		}
	}
	if what := s.beyond[w.id.Partition]; what != "" {
		return older(what)
	}
	for _, d := range s.deadlines {
		if d.time <= m.Clock.Watermark || d.time/pipeline.MinuteMillis <= m.Clock.Fired.Minute {
			continue
		}
		held, err := g.Redis.Inspect(ctx, g.cfg.Kafka.Group, w.id.Partition, d.key)
		if err != nil {
			return err
		}
		c := profile.Customer{Profile: &profile.Profile{}}
		if held.Profile == nil || profile.Read(held.Profile, &c) != nil {
			continue // a customer of another partition
		}
		if c.At < d.time { // otherwise the customer's own record let it fire
			return older(
				fmt.Sprintf("an alert of a deadline at %s is published", time.UnixMilli(d.time).UTC().Format(time.RFC3339)),
			)
		}
	}
	return nil
}

// readLetters reads the DLQ from the time of the oldest of the quarantined records.
func (g *Group) readLetters(ctx context.Context, s *shown) error {
	from, err := g.readTimes(ctx, s)
	if err != nil {
		return err
	}
	topic, err := connect.FindTopic(ctx, g.Kafka, g.cfg, g.cfg.Kafka.DLQ(), kafkawire.Read, kafkawire.DescribeConfigs)
	if err != nil {
		return err
	}
	appendTime := false
	if s.dlq, appendTime, err = g.keeps(ctx, &topic); err != nil {
		return err
	}
	if appendTime {
		from = 0
	}
	return g.scan(ctx, &topic, max(0, from), func(r *pipeline.Record) {
		q, ok := format.ReadQuarantined(r)
		if !ok || q.Source.Topic != g.cfg.Kafka.Input {
			return
		}
		if l := (letter{int(q.Source.Partition), q.Source.Offset}); s.times[l] == q.Timestamp { // of this life of the topic
			s.letters[l]++
		}
	})
}

// readTimes reads the times of the quarantined records in the input. A deleted one makes the takeover stop anyway.
func (g *Group) readTimes(ctx context.Context, s *shown) (oldest int64, err error) {
	oldest = math.MaxInt64
	for l := range s.letters {
		scan := kafkascan.Scan{
			Client: g.Kafka, Topic: g.cfg.Kafka.Input, Partition: int32(l.partition), From: l.offset, To: l.offset + 1,
			MaxBytes: 64 << 10, Patience: patience,
			Record: func(r *pipeline.Record) error {
				s.times[l] = r.Timestamp
				oldest = min(oldest, r.Timestamp)
				return nil
			},
			Waiting: func(held *kafkascan.HeldUpError, _ time.Duration) error { g.waits(held); return nil },
		}
		if err := scan.Run(ctx); err != nil {
			return 0, fmt.Errorf("read the quarantined record %s/%d@%d: %w", g.cfg.Kafka.Input, l.partition, l.offset, err)
		}
	}
	return oldest, nil
}

// controls are the control records of a partition in the group's present life.
func (s *shown) controls(ctx context.Context, g *Group, id pipeline.Identity) ([]pipeline.Control, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all, err := g.control.Ledger(g.Kafka, g.cfg).Controls(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read control records: %w", err)
	}
	for i := len(all) - 1; i > 0; i-- {
		if all[i].First {
			return all[i:], nil
		}
	}
	return all, nil
}

// seen is what the topics show of each outbox entry of a partition.
func (s *shown) seen(w *standing, changes []pipeline.Control) []pipeline.Seen {
	seen := make([]pipeline.Seen, len(w.state.Outbox))
	for i, b := range w.state.Outbox {
		e, err := pipeline.ReadEntry(b)
		if err != nil {
			continue // the proof stops there
		}
		switch e.Kind {
		case pipeline.EntryAlert, pipeline.EntryErased:
			in := &s.alerts
			if e.Alert.Assigned.Arm == alert.HeldOut {
				in = &s.heldOut
			}
			if seen[i] = in.absent(e.Alert.At); s.ids[alertID(&e)] {
				seen[i] = pipeline.Present
			}
		case pipeline.EntryDecision:
			if seen[i] = s.decisions.absent(e.Ruling.At); s.rulings[ruling(&e)] {
				seen[i] = pipeline.Present
			}
		case pipeline.EntryQuarantine:
			seen[i] = s.seenLetter(letter{w.id.Partition, e.Offset})
		case pipeline.EntryControl:
			seen[i] = pipeline.Absent
			for c := range changes {
				if changes[c].Offset == e.Begins() && reflect.DeepEqual(changes[c].Change, e.Change) {
					seen[i] = pipeline.Present
				}
			}
		default: // packs are keyed by content, and other groups publish the same; of arms only the newest stand there
		}
	}
	return seen
}

// seenLetter is what the DLQ shows of a quarantined record. Every group of the input puts a copy there, and none says
// whose it is.
func (s *shown) seenLetter(l letter) pipeline.Seen {
	switch n := s.letters[l]; {
	case n == 0:
		return s.dlq.absent(s.times[l])
	case n > s.others:
		return pipeline.Present
	}
	return pipeline.Untold
}
