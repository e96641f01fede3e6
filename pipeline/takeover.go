package pipeline

import (
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// Identity is what a partition's state must agree with before it may be used.
type Identity struct {
	Group      string
	Input      string // topic name
	Partition  int
	Partitions int    // of the input topic
	Cluster    string // Kafka cluster id
	Topic      string // topic id
	Pack       string // hash of the pack that the configuration began with
	Latest     bool   // a group without any position starts at the log's end instead of its start
	History    bool   // and what lies below the log's end is history to it; see FirstStart
}

// Standing is the result of a takeover.
type Standing struct {
	Meta    Meta      // the state's position
	Mark    Mark      // the published position (P)
	Fresh   bool      // neither position nor state: the start offset must be published before the first commit
	Outbox  []Pending // decided, not published; the owner adds the records of quarantined ones before it publishes
	Dropped int       // oldest entries in the store's outbox that are published

	Packs []PackBytes // that the store holds
	Held  []HeldEntry // raises
}

// Rewinding reports whether the state is behind the published position, so that repeated decisions must be suppressed.
func (s *Standing) Rewinding() bool { return s.Mark.behind(&s.Meta) }

// Lagging reports whether the published position is behind the state.
func (s *Standing) Lagging() bool {
	return !s.Rewinding() && (s.Mark.Offset != s.Meta.Next || s.Mark.Fired != s.Meta.Clock.Fired ||
		s.Mark.Releases != s.Meta.First.Releases)
}

// Reconcile compares both positions (docs/exactly-once.md). Errors: *HardStop.
func Reconcile(id Identity, pos Position, st State) (*Standing, error) {
	mark, err := readMark(id, pos)
	if err != nil {
		return nil, err
	}
	s := &Standing{Mark: mark, Packs: st.Packs, Held: st.Held}
	switch {
	case !st.Exists && !pos.Committed:
		s.Fresh = true
		s.Mark = Mark{Offset: pos.LogStart, Fresh: true, Topic: id.Topic}
		if id.Latest {
			s.Mark.Offset = pos.End
		}
		if id.History && s.Mark.Offset < pos.End {
			s.Mark.History = pos.End
		}
		s.Meta = id.NewMeta(s.Mark.Offset)
	case !st.Exists && mark.Fresh:
		s.Meta = id.NewMeta(mark.Offset)
	case !st.Exists:
		return nil, id.StateLost(mark.Offset)
	case !pos.Committed:
		if err := id.agrees(st.Meta); err != nil {
			return nil, err // the group's offsets of a deleted topic are deleted with it
		}
		return nil, id.Stop(
			"offset_lost",
			fmt.Sprintf("Redis holds state up to offset %d, but the group has no committed offset", st.Meta.Next),
			"if the group's offsets were deleted or expired, stop the group and run: ebb repair (it finds what was published "+
				"and commits it again, where the state proves it)",
		)
	default:
		s.Meta = st.Meta
		if err := id.agrees(st.Meta); err != nil {
			return nil, err
		}
	}
	if st.Exists {
		if err := id.Lacks(&st.Meta, st.Holds, st.Missing); err != nil {
			return nil, err
		}
	}
	if err := id.within(s.Meta.Next, pos); err != nil {
		return nil, err
	}
	s.Meta.Passed.Live = s.Meta.Passed.Live || s.Mark.Live // also of a state that was emptied
	return s, s.splitOutbox(id, st.Outbox)
}

func readMark(id Identity, pos Position) (Mark, error) {
	if !pos.Committed {
		return Mark{}, nil
	}
	m, err := ParseMark(pos.Offset, pos.Metadata)
	if errors.Is(err, ErrMarkVersion) {
		return Mark{}, id.Stop("state_unreadable", err.Error(), "run the newer version again")
	}
	if err != nil {
		return Mark{}, id.Stop("offset_foreign", err.Error(),
			"see that no other program commits offsets in this group, stop the group and run: ebb repair (it finds what was "+
				"published and commits it again, where the state proves it)")
	}
	if m.Topic != id.Topic {
		return Mark{}, id.Stop(
			"topic_changed",
			fmt.Sprintf("the offset belongs to topic id %s, the topic now has id %s", m.Topic, id.Topic),
			otherTopic,
		)
	}
	return m, nil
}

// otherTopic is what to do about an input with another id.
const otherTopic = "the topic was deleted and created again, or kafka.input names another one: name the one of before, " +
	"or use a new kafka.group"

// StateLost is the hard stop of a group whose position is published, and of which Redis holds nothing.
func (id Identity) StateLost(published int64) *HardStop {
	return id.Stop(
		"state_lost",
		fmt.Sprintf("Kafka says that records below offset %d were processed, but Redis holds no state", published),
		"if Redis was emptied or replaced, or evicted it (maxmemory-policy has to be noeviction), restore its latest "+
			"backup, any age will do; else rebuild the state from the input: ebb rebuild --from earliest",
	)
}

// ControlLost is the hard stop of a topic of control records or packs that is gone, or was made anew, while ebb runs.
func (id Identity) ControlLost(topic string, gone bool) *HardStop {
	return id.Stop(
		"control_lost",
		fmt.Sprintf("the topic %s was deleted%s", topic, map[bool]string{false: " and made anew"}[gone]),
		"put the topic back from a copy, or run: ebb check --create, and start ebb again: it goes on from the state in Redis "+
			"and writes down what is in force; backups of Redis from before can then no longer be used",
	)
}

// Compacted is the hard stop of an input that keeps only the newest event of each key.
func (id Identity) Compacted(brokers string) *HardStop {
	return id.Stop(
		"input_compacted",
		fmt.Sprintf("the topic %s is compacted: all but the newest event of each customer are removed from it", id.Input),
		fmt.Sprintf(
			"run: kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config "+
				"cleanup.policy=delete, and start ebb again",
			brokers,
			id.Input,
		),
	)
}

// Still refuses an input that is no longer the one of id: a topic made anew, or with another number of partitions.
func (id Identity) Still(cluster, topic string, partitions int) error {
	was := id.NewMeta(0)
	was.Pack = ""
	id.Cluster, id.Topic, id.Partitions = cluster, topic, partitions
	return id.agrees(was)
}

// agrees refuses state that was built on something else.
func (id Identity) agrees(m Meta) error {
	switch {
	case m.Version != MetaVersion:
		return id.Stop(
			"state_unreadable",
			fmt.Sprintf("the state has layout %d, this build reads %d", m.Version, MetaVersion),
			"run the version of ebb that wrote it",
		)
	case m.Cluster != id.Cluster: // topics of the same name have other ids there, too
		return id.Stop(
			"cluster_changed",
			fmt.Sprintf("the state belongs to Kafka cluster %s, this is %s", m.Cluster, id.Cluster),
			"point kafka.brokers back to the old cluster, or use a new kafka.group",
		)
	case m.Topic != id.Topic:
		return id.Stop(
			"topic_changed",
			fmt.Sprintf("the state belongs to topic id %s, the topic now has id %s", m.Topic, id.Topic),
			otherTopic,
		)
	case m.Partitions != id.Partitions:
		return id.PartitionsChanged(m.Partitions)
	case !m.Poison.Sound():
		return id.Stop(
			"state_unreadable",
			"the record of poisoned records is damaged",
			"restore a backup of Redis, or run: ebb rebuild --from earliest",
		)
	case len(m.Packs) == 0 && m.Pack != "" && m.Pack != id.Pack:
		return id.Stop(
			"pack_changed",
			fmt.Sprintf("the state was scored with pack %.12s, the configured one is %.12s", m.Pack, id.Pack),
			"put the old pack and its overrides back until ebb has processed a record: from then on a pack of a higher "+
				"version is activated; or use a new kafka.group",
		)
	}
	return nil
}

// PartitionsChanged is the hard stop of a group whose state was built with another number of partitions. A partition
// that was added later has neither state nor position that shows it, so a group's start checks the other partitions
// first.
func (id Identity) PartitionsChanged(before int) *HardStop {
	return id.Stop(
		"partitions_changed",
		fmt.Sprintf("the state was built with %d partitions, the topic now has %d", before, id.Partitions),
		"customers have moved between partitions; copy the input to a topic of the new size and start there under a new "+
			"kafka.group",
	)
}

// within refuses a position outside the log.
func (id Identity) within(next int64, pos Position) error {
	switch {
	case next < pos.LogStart:
		return id.Stop(
			"records_lost",
			fmt.Sprintf(
				"the next record is %d, but the log starts at %d: retention has deleted %d records that were never processed",
				next,
				pos.LogStart,
				pos.LogStart-next,
			),
			"raise retention.ms of the input; to go on without these records: ebb rebuild --from earliest",
		)
	case next > pos.End:
		return id.Stop("log_truncated", fmt.Sprintf("the next record is %d, but the log ends at %d", next, pos.End),
			"the broker has lost acknowledged records (unclean leader election?); restore them, or use a new kafka.group")
	}
	return nil
}

// splitOutbox separates the entries that P covers, which form the front, from those still to be published.
func (s *Standing) splitOutbox(id Identity, encoded [][]byte) error {
	for i, b := range encoded {
		e, err := ReadEntry(b)
		if err != nil {
			return id.Stop(
				"state_unreadable",
				fmt.Sprintf("outbox entry %d: %v", i, err),
				"run the version of ebb that wrote it",
			)
		}
		switch {
		case !s.Mark.Covers(&e):
			s.Outbox = append(s.Outbox, Pending{Encoded: b})
		case len(s.Outbox) > 0:
			return id.Stop("state_unreadable", fmt.Sprintf("outbox entry %d is published, one before it is not", i),
				"something else writes to this group's keys in Redis; restore a backup, or rebuild: ebb rebuild --from earliest")
		default:
			s.Dropped++
		}
	}
	return nil
}

// NewMeta is the state of a partition without any effects, whose next record is next. Below the group's committed
// offset it is a state to be rebuilt.
func (id Identity) NewMeta(next int64) Meta {
	return Meta{
		Version:    MetaVersion,
		Next:       next,
		Pack:       id.Pack,
		Partitions: id.Partitions,
		Cluster:    id.Cluster,
		Topic:      id.Topic,
	}
}

func (id Identity) Stop(code, detail, do string) *HardStop {
	return &HardStop{
		Code:   code,
		Detail: fmt.Sprintf("%s/%d, group %s: %s", id.Input, id.Partition, id.Group, detail),
		Do:     do,
	}
}

func KeyHash(b []byte) uint64 { return xxhash.Sum64(b) }
