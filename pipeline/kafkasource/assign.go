package kafkasource

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline/kafkawire"
)

// protocolName is the assignment that the members agree on, Kafka's range over one topic by instance id, followed by
// the version of the state's format. The coordinator chooses among the names that all members offer.
const protocolName = "ebb-range-%d"

func protocols(formats []int) (names []string) {
	for _, f := range formats {
		names = append(names, fmt.Sprintf(protocolName, f))
	}
	return names
}

// formatOf is the format in the name of a protocol; 0 if the name is not ebb's.
func formatOf(protocol string) (format int) {
	if _, err := fmt.Sscanf(protocol, protocolName, &format); err != nil {
		return 0
	}
	return format
}

// subscription is the metadata of a member that reads topic.
func subscription(topic string) []byte {
	m := kmsg.NewConsumerMemberMetadata()
	m.Topics = []string{topic}
	return m.AppendTo(nil)
}

// reads reports whether a member's subscription is to topic and to nothing else.
func reads(m *kafkawire.GroupMember, topic string) bool {
	var sub kmsg.ConsumerMemberMetadata
	return sub.ReadFrom(m.Metadata) == nil && slices.Equal(sub.Topics, []string{topic})
}

// deal gives each member that reads topic a run of its n partitions, in the order of instance ids, so that the same
// members get the same partitions each time. The first n mod members get one more.
func deal(topic string, n int32, members []kafkawire.GroupMember) (map[string][]byte, error) {
	readers := make([]kafkawire.GroupMember, 0, len(members))
	out := make(map[string][]byte, len(members))
	for _, m := range members {
		var sub kmsg.ConsumerMemberMetadata
		if err := sub.ReadFrom(m.Metadata); err != nil {
			return nil, fmt.Errorf("read subscription of member %s: %w", m.ID, err)
		}
		out[m.ID] = encodeAssignment(topic, nil)
		if slices.Contains(sub.Topics, topic) {
			readers = append(readers, m)
		}
	}
	slices.SortFunc(readers, func(a, b kafkawire.GroupMember) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.ID, b.ID))
	})
	next := int32(0)
	for i, m := range readers {
		size := n / int32(len(readers))
		if int32(i) < n%int32(len(readers)) {
			size++
		}
		part := make([]int32, size)
		for j := range part {
			part[j] = next + int32(j)
		}
		next += size
		out[m.ID] = encodeAssignment(topic, part)
	}
	return out, nil
}

func encodeAssignment(topic string, partitions []int32) []byte {
	a := kmsg.NewConsumerMemberAssignment()
	if len(partitions) > 0 {
		t := kmsg.NewConsumerMemberAssignmentTopic()
		t.Topic, t.Partitions = topic, partitions
		a.Topics = append(a.Topics, t)
	}
	return a.AppendTo(nil)
}

// decodeAssignment returns the partitions of topic in an assignment. An empty assignment has none.
func decodeAssignment(topic string, b []byte) ([]int32, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var a kmsg.ConsumerMemberAssignment
	if err := a.ReadFrom(b); err != nil {
		return nil, fmt.Errorf("read assignment: %w", err)
	}
	var out []int32
	for _, t := range a.Topics {
		if t.Topic == topic {
			out = append(out, t.Partitions...)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Dealt is how many partitions of topic the members of a group have.
func Dealt(g *kafkawire.GroupState, topic string) (n int) {
	for i := range g.Members {
		part, err := decodeAssignment(topic, g.Members[i].Assigned)
		if err == nil {
			n += len(part)
		}
	}
	return n
}
