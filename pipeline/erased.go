package pipeline

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"

	"ebb/scoring/encode"
)

// A customer is erased by an event in the input (Event.Erase): ebb removes what it holds of the customer, and keeps a
// salted hash with a time, so that events up to then, sent or read once more, do not bring the customer back (ADR 37).

// EraseHeader marks a record that erases a customer: its value is flat JSON, whatever the mapping says. Its value names
// who asks for it. EraseReason is the header that says why.
const (
	EraseHeader = "ebb-erase"
	EraseReason = "ebb-erase-why"
)

// ErasedHash stands for a customer who was erased.
type ErasedHash uint64

// String is the hash as control records hold it.
func (h ErasedHash) String() string { return fmt.Sprintf("%016x", uint64(h)) }

// ErasedHash is the salted hash of a customer's key, or of a record's. The salt is the name of the group and the id of the
// input topic, which Kafka draws at random: no backup of Redis can lose it, and no other group has the same hashes.
func (id Identity) ErasedHash(key []byte) ErasedHash {
	var room [512]byte
	sum := sha256.Sum256(encode.AppendParts(encode.AppendParts(room[:0], "ebb erased", id.Group, id.Topic), key))
	return ErasedHash(binary.LittleEndian.Uint64(sum[:8]))
}

// Erasure is a customer who was erased. Events of it up to Until, in ms since the epoch, count for nothing.
type Erasure struct {
	Hash  ErasedHash
	Until int64
}

// Erasures are a partition's, in the order of their hashes. They are not changed in place.
type Erasures []Erasure

// Until is the time up to which events of a customer count for nothing; false: the customer was never erased.
func (s Erasures) Until(h ErasedHash) (until int64, erased bool) {
	i, erased := s.find(h)
	if !erased {
		return 0, false
	}
	return s[i].Until, true
}

// With is s with one more; of two of a customer the later one counts.
func (s Erasures) With(e Erasure) Erasures {
	i, again := s.find(e.Hash)
	all := slices.Clone(s)
	if !again {
		return slices.Insert(all, i, e)
	}
	all[i].Until = max(all[i].Until, e.Until)
	return all
}

func (s Erasures) find(h ErasedHash) (int, bool) {
	return slices.BinarySearchFunc(s, h, func(e Erasure, h ErasedHash) int { return cmp.Compare(e.Hash, h) })
}

func appendErased(dst []byte, m *Meta) []byte {
	for _, e := range m.Erased {
		dst = binary.AppendVarint(binary.LittleEndian.AppendUint64(dst, uint64(e.Hash)), e.Until)
	}
	return dst
}

func readErased(r *encode.Reader, m *Meta) {
	for r.More() {
		e := Erasure{Hash: ErasedHash(r.Uint64()), Until: r.Varint()}
		if n := len(m.Erased); n > 0 && e.Hash <= m.Erased[n-1].Hash {
			r.Damage()
			return
		}
		m.Erased = append(m.Erased, e)
	}
}

// Erased is what a control record says of an erasure. It holds nothing by which the customer is known, but to whoever has
// its id. Its fields are a contract.
type Erased struct {
	Customer ErasedHash `json:"customer"` // of its state's key
	Key      ErasedHash `json:"key"`      // of the record that erased it: quarantined ones with this key are not shown any more
	Until    time.Time  `json:"until"`    // events of the customer up to then count for nothing
	By       string     `json:"by,omitempty"`
	Why      string     `json:"why,omitempty"`
}

// MarshalText is the hash in hex.
func (h ErasedHash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (h *ErasedHash) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 16, 64)
	*h = ErasedHash(n)
	return err
}

// Erasure is what a partition keeps of e.
func (e *Erased) Erasure() Erasure { return Erasure{Hash: e.Customer, Until: e.Until.UnixMilli()} }

// NewErased is what a control record says of the erasure of an event's customer, by the record that asks for it. A name or
// a reason that holds the customer's id is left out.
func NewErased(id Identity, e *Event, r *Record, until int64) Erased {
	out := Erased{
		Customer: id.ErasedHash(e.Key), Key: id.ErasedHash(r.Key), Until: time.UnixMilli(until).UTC(),
	}
	headers := ReadHeaders(r.Headers)
	for key, value, ok := headers.Next(); ok; key, value, ok = headers.Next() {
		switch known := !bytes.Contains(value, e.Customer); {
		case known && string(key) == EraseHeader:
			out.By = string(value)
		case known && string(key) == EraseReason:
			out.Why = string(value)
		}
	}
	return out
}
