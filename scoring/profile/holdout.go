package profile

import (
	"encoding/binary"
	"math"

	"ebb/scoring/encode"
)

// Holdout is a customer's part in a holdout. The zero value is that of a customer who never had any.
type Holdout struct {
	Rules uint32 // by which the newest published arm was drawn
	Epoch uint32 // that it holds for; 0: none was published

	Assigned KindSet // kinds whose newest episode was raised while a holdout was on
	HeldOut  KindSet // of these, those of customers in the held-out arm: nobody acts on the episode
}

// Newer notes that the customer's arm of an epoch is published, by rules; false: it was before, or a later one's.
func (h *Holdout) Newer(rules, epoch uint32) bool {
	if rules == h.Rules && epoch <= h.Epoch {
		return false
	}
	h.Rules, h.Epoch = rules, epoch
	return true
}

// appendHoldout appends Rules 4 and Epoch as a varint; if there is any Assigned, that and HeldOut, 1 each.
func appendHoldout(dst []byte, c *Customer) []byte {
	h := &c.Holdout
	if h.Epoch == 0 {
		return dst
	}
	dst = binary.AppendUvarint(binary.LittleEndian.AppendUint32(dst, h.Rules), uint64(h.Epoch))
	if h.Assigned == 0 {
		return dst
	}
	return append(dst, byte(h.Assigned), byte(h.HeldOut))
}

func readHoldout(r *encode.Reader, c *Customer) bool {
	h := &c.Holdout
	h.Rules, h.Epoch = r.Uint32(), uint32(r.UvarintUpTo(math.MaxUint32))
	if !r.More() {
		return h.Epoch != 0
	}
	h.Assigned, h.HeldOut = readKinds(r), KindSet(r.Byte())
	return h.Epoch != 0 && h.Assigned != 0 && h.HeldOut&^h.Assigned == 0
}
