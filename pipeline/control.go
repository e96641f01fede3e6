package pipeline

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Control is a control record: what moved a partition other than its records (DESIGN section 8). Whoever folds the same records
// again applies it at its offset. Its fields are a contract: they are added, never changed.
type Control struct {
	Group     string  `json:"group"`
	Topic     string  `json:"topic"` // the input
	TopicID   string  `json:"topic_id"`
	Partition int     `json:"partition"`
	Offset    int64   `json:"offset"` // of the input, before which it applied
	Kind      string  `json:"kind"`   // see ControlPack
	Pack      PackRef `json:"pack,omitzero"`
	First     bool    `json:"first,omitempty"` // the group begins: what an earlier group of this name did is of no interest any more
}

// ControlPack is the kind of a control record by which a pack begins.
const ControlPack = "pack"

// Key is the record's key: the partition that it speaks of.
func (c *Control) Key() string { return c.Group + "/" + c.Topic + "/" + strconv.Itoa(c.Partition) }

// Encode is the record's value.
func (c *Control) Encode() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic("BUG: a control record is plain texts and numbers: " + err.Error())
	}
	return b
}

// ReadControl reads a control record's value.
func ReadControl(b []byte) (c Control, err error) {
	if err := json.Unmarshal(b, &c); err != nil || c.Kind == "" {
		return Control{}, fmt.Errorf("read control record %.60q: it is none of ebb's", b)
	}
	return c, nil
}

// Of reports whether c speaks of that partition, in this life of its topic.
func (c *Control) Of(id Identity) bool {
	return c.Group == id.Group && c.Topic == id.Input && c.TopicID == id.Topic && c.Partition == id.Partition
}
