package kafkasource

import "ebb/pipeline/kafkawire"

// Deal is deal with a decoded result.
func Deal(topic string, n int32, members []kafkawire.GroupMember) (map[string][]int32, error) {
	dealt, err := deal(topic, n, members)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]int32, len(dealt))
	for id, b := range dealt {
		if out[id], err = decodeAssignment(topic, b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Subscription is subscription.
func Subscription(topic string) []byte { return subscription(topic) }

// DecodeAssignment is decodeAssignment.
func DecodeAssignment(topic string, b []byte) ([]int32, error) { return decodeAssignment(topic, b) }

// EncodeAssignment is encodeAssignment.
func EncodeAssignment(topic string, partitions []int32) []byte {
	return encodeAssignment(topic, partitions)
}
