package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
)

// markVersion is the format of the offset metadata.
const markVersion = 1

// Mark is the published position: the group's committed offset and its metadata. Everything decided below it has been
// published. It moves only in the transaction that publishes the entries it covers.
type Mark struct {
	Offset    int64  `json:"-"`               // records below it have had their effect (P)
	Version   int    `json:"ebb"`             // format; marks ebb's metadata
	Fresh     bool   `json:"fresh,omitempty"` // the start of a partition without state
	Watermark int64  `json:"watermark"`       // ms since the epoch
	Fired     Due    `json:"fired"`           // deadlines a sweep has fired (F)
	Wall      int64  `json:"wall"`            // processing time, ms since the epoch: for people and idle partitions
	Topic     string `json:"topic"`           // id of the input topic
	// hash of the pack that the record before it was folded under; empty: not announced
	Pack     string `json:"pack,omitempty"`
	Settings string `json:"settings,omitempty"` // hash of those by which it was read; empty: not announced
	Passed   int64  `json:"passed,omitempty"`   // minute of the newest time record; 0: none
	Live     bool   `json:"live,omitempty"`     // see Passed.Live
	// where Fresh: the end of the log as the group first found it, below which all is history; 0: nothing is
	History  int64 `json:"history,omitempty"`
	Releases int64 `json:"releases,omitempty"` // number of the latest release
	Storms   int64 `json:"storms,omitempty"`   // number of the latest storm
}

// Metadata encodes m for the offset's metadata, which Kafka limits to 4 KiB.
func (m Mark) Metadata() string {
	m.Version = markVersion
	b, err := json.Marshal(m)
	if err != nil {
		panic("BUG: a mark is plain numbers and a topic id: " + err.Error())
	}
	return string(b)
}

// ErrMarkVersion means that a newer ebb has committed a position.
var ErrMarkVersion = errors.New("committed by a newer ebb")

// ParseMark reads a committed position. Errors: ErrMarkVersion; any other means that another program has committed it.
func ParseMark(offset int64, metadata string) (Mark, error) {
	var m Mark
	if err := json.Unmarshal([]byte(metadata), &m); err != nil || m.Version == 0 {
		return Mark{}, fmt.Errorf("offset %d was not committed by ebb (metadata %.60q)", offset, metadata)
	}
	if m.Version > markVersion {
		return Mark{}, fmt.Errorf(
			"offset %d was %w (format %d, this build reads %d)",
			offset,
			ErrMarkVersion,
			m.Version,
			markVersion,
		)
	}
	m.Offset = offset
	return m, nil
}

// NewerMark is the error of metadata that a newer ebb has committed; nil for all other.
func NewerMark(metadata string) error {
	_, err := ParseMark(0, metadata)
	if !errors.Is(err, ErrMarkVersion) {
		return nil
	}
	return err
}

// after is the mark once e and all entries before it are published, and none behind it. The watermark is the one that e
// at least stands for: it lay no farther back when e was decided.
func (m Mark) after(e *Entry) Mark {
	m.Fresh, m.History = false, 0
	m.Offset, m.Fired, m.Releases = max(m.Offset, e.ends()), e.Due, max(m.Releases, e.Release)
	m.Watermark = max(m.Watermark, e.Due.Minute*MinuteMillis)
	if e.Kind == EntryControl {
		switch e.Change.Kind {
		case ControlPack:
			m.Pack = e.Change.Pack.Hash
		case ControlSettings:
			m.Settings = e.Change.Settings.Hash()
		case ControlTime:
			m.Passed = e.Change.Minute
		case ControlStorm:
			m.Storms = e.Change.Storm.Number
		}
	}
	return m
}

// Covers reports whether what e stands for was published with m: its record lies below the offset, the sweep that fired
// it below the fired deadlines, or its release is none after the latest.
func (m Mark) Covers(e *Entry) bool {
	switch {
	case e.Release > 0:
		return e.Release <= m.Releases
	case e.Offset >= 0:
		return e.Offset < m.Offset
	}
	return e.Due.Compare(m.Fired) <= 0
}

// behind reports whether a state has yet to reach m: it was rolled back, and is being replayed.
func (m Mark) behind(at *Meta) bool {
	return at.Next < m.Offset || at.Clock.Fired.Compare(m.Fired) < 0 || at.First.Releases < m.Releases
}
