package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"ebb/pipeline/sources"
)

// Control is a control record: a change of a partition other than by its records. A replay of the same records applies
// it again at its offset. Its fields are a contract: new ones are added, existing ones never change.
type Control struct {
	Group     string `json:"group"`
	Topic     string `json:"topic"` // the input
	TopicID   string `json:"topic_id"`
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"` // of the input, before which it applied
	Change
}

// Change is what a control record changes: a union, in which Kind names the field that is set.
type Change struct {
	Kind string  `json:"kind"`          // one of the constants below
	Pack PackRef `json:"pack,omitzero"` // ControlPack: the pack that begins
	// ControlPack: the group begins; what an earlier group of this name did does not count
	First    bool     `json:"first,omitempty"`
	Settings Settings `json:"settings,omitzero"` // ControlSettings: those that begin
	Source   Turn     `json:"source,omitzero"`   // ControlStalled, ControlResumed: which
	Minute   int64    `json:"minute,omitempty"`  // ControlTime: since the epoch, of event time
	Until    int64    `json:"until,omitempty"`   // ControlHistory: the offset behind the last record of the history
	Release  Release  `json:"release,omitzero"`  // ControlRelease: what is released
	Storm    Storm    `json:"storm,omitzero"`    // ControlStorm: which
	Erased   Erased   `json:"erased,omitzero"`   // ControlErased: who
	Silence  Silence  `json:"silence,omitzero"`  // ControlSilence: one that begins, or ends before its time
}

// Kinds of control records.
const (
	ControlSettings = "settings" // settings begin: they apply to all records from there on
	ControlPack     = "pack"     // a pack begins: it applies to each customer from the customer's next event on
	ControlHistory  = "history"  // the group first starts: records below an offset are history

	// These wait for no record, so several may stand before the same one, or at the end of the log.
	ControlTime    = "time"         // time passed without records: the watermark moves to it, never back
	ControlRelease = "release"      // held customers are released
	ControlStorm   = "storm_opened" // too many lapses are raised in an hour: further ones of it are held
	ControlSilence = "silence"      // raises that it matches are held until an event time

	// a source of events stalls, or resumes; both follow from the records, so a replay decides them again by itself.
	ControlStalled = "source_stalled"
	ControlResumed = "source_resumed"

	ControlErased = "erased" // the record at its offset has erased a customer; a replay of that record does it again
)

// Known reports whether this build can apply c. A newer one may have written other kinds.
func (c *Change) Known() bool {
	switch c.Kind {
	case ControlPack, ControlSettings, ControlTime, ControlHistory, ControlStorm, ControlSilence, ControlStalled,
		ControlResumed, ControlErased:
		return true
	case ControlRelease:
		return c.Release.Of() != 0
	}
	return false
}

// Tells reports whether c only tells what follows from the records.
func (c *Change) Tells() bool {
	return c.Kind == ControlStalled || c.Kind == ControlResumed || c.Kind == ControlErased
}

// Turn is a source of events that stalls or resumes, for operators and consumers. Times are event times.
type Turn struct {
	Name     string    `json:"name"`     // empty: the events that name no source
	Since    time.Time `json:"since"`    // since when nothing, or far too little, came
	At       time.Time `json:"at"`       // from when on its customers' silence does not count, or counts again
	Expected int64     `json:"expected"` // events from since to at, by the source's past
	Seen     uint64    `json:"seen"`
	GivenUp  bool      `json:"given_up,omitempty"` // it resumes because it was stalled for so long that this is taken for usual
}

// TurnOf is the change of a turn.
func TurnOf(t *sources.Turn) Change {
	c := Change{Kind: ControlResumed, Source: Turn{
		Name: t.Source, Since: time.UnixMilli(t.Since * MinuteMillis).UTC(), At: time.UnixMilli(t.At * MinuteMillis).UTC(),
		Expected: int64(t.Expected + 0.5), Seen: t.Seen, GivenUp: t.GivenUp,
	}}
	if t.Stalled {
		c.Kind = ControlStalled
	}
	return c
}

// AtRest reports whether c waits for no record: it applies at the end of the log too, and several may stand before the
// same record.
func (c *Change) AtRest() bool {
	return c.Kind == ControlTime || c.Kind == ControlRelease || c.Kind == ControlStorm || c.Kind == ControlSilence
}

// Number is that of a release or silence among the partition's, from 1, in one sequence: where it applied at the end of the
// log, no offset and no deadline tells whether it was published. 0: c is neither.
func (c *Change) Number() int64 {
	switch c.Kind {
	case ControlRelease:
		return c.Release.Number
	case ControlSilence:
		return c.Silence.Number
	}
	return 0
}

// Answers is the id of the Asked that is done with c; empty: none is.
func (c *Change) Answers() string {
	switch {
	case c.Kind == ControlRelease && c.Release.Last:
		return c.Release.Asked
	case c.Kind == ControlSilence:
		return c.Silence.Asked
	}
	return ""
}

// Beyond reports whether c was not yet applied where offset was published. What stands before the record at offset was
// published with that record, but for what waits for none, or only tells.
func (c *Control) Beyond(offset int64) bool {
	return c.Offset > offset || c.Offset == offset && !c.AtRest() && !c.Tells()
}

// Key is the record's key: the partition that the record is about.
func (c *Control) Key() string { return c.Group + "/" + c.Topic + "/" + strconv.Itoa(c.Partition) }

// Encode is the record's value.
func (c *Control) Encode() []byte { return encoded(c) }

// encode is the form of c in an outbox entry. It is JSON, as in the record, since there are few of them.
func (c *Change) encode() []byte { return encoded(c) }

func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: a control record is plain texts and numbers: " + err.Error())
	}
	return b
}

// decode is the inverse of encode.
func (c *Change) decode(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields() // a newer build may have written it
	if err := d.Decode(c); err != nil {
		return fmt.Errorf("change: %w", err)
	}
	if !c.Known() {
		return fmt.Errorf("change of kind %q, which this build does not know", c.Kind)
	}
	return nil
}

// ReadControl reads a control record's value.
func ReadControl(b []byte) (c Control, err error) {
	if err := json.Unmarshal(b, &c); err != nil || c.Kind == "" {
		return Control{}, fmt.Errorf("read control record %.60q: it is none of ebb's", b)
	}
	return c, nil
}

// Of reports whether c is about that partition, in this life of its topic.
func (c *Control) Of(id Identity) bool {
	return c.Group == id.Group && c.Topic == id.Input && c.TopicID == id.Topic && c.Partition == id.Partition
}
