package profile

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
)

// Channel is a way to reach a customer. The numbers are stored, the names are a contract.
type Channel uint8

// Channels.
const (
	Email Channel = iota
	SMS
	Push
	InApp
	Phone
	WhatsApp
	Post
	Ads
	NumChannels
)

var channelNames = [NumChannels]string{"email", "sms", "push", "in_app", "phone", "whatsapp", "post", "ads"}

// String is the channel's stable name.
func (c Channel) String() string {
	if c >= NumChannels {
		return "unknown"
	}
	return channelNames[c]
}

// ChannelNames are the names of the channels, in order.
func ChannelNames() []string { return slices.Clone(channelNames[:]) }

// ChannelNamed is the channel of a name, in any case.
func ChannelNamed(name []byte) (c Channel, ok bool) {
	for c = range NumChannels {
		if bytes.EqualFold(name, []byte(channelNames[c])) {
			return c, true
		}
	}
	return NumChannels, false
}

// ChannelSet is a set of channels, a bit each.
type ChannelSet uint8

// AllChannels are all of them.
const AllChannels ChannelSet = 1<<NumChannels - 1

// All are the channels in the set, in order.
func (s ChannelSet) All(yield func(Channel) bool) {
	for ; s != 0; s &= s - 1 {
		if !yield(Channel(bits.TrailingZeros8(uint8(s)))) {
			return
		}
	}
}

// ContactChange is what an event says of how and when its customer may be written to. The zero value: nothing.
type ContactChange struct {
	Zone uint32 // mark of the time zone (zone.Mark); 0: the event names none
	// that the customer is unsubscribed from the channels Out and from no other; else from Out, and no more from In
	Whole   bool
	Out, In ChannelSet
}

// Contact is what is known of how and when a customer may be written to, as it is stored; empty where nothing is:
//
//	which parts follow, a bit each          1
//	[zone]     its mark 4, time of its event 6
//	[whole]    the channels of the newest list of all that the customer is unsubscribed from 1, its time 6
//	[channels] those with newer events of their own 1, of these the unsubscribed ones 1, time of each 6
//
// Of each part the newest event counts, in whatever order events come; of several at the same time the last to come.
type Contact []byte

// contactParts is a Contact taken apart.
type contactParts struct {
	zone    uint32
	zoneAt  int64
	whole   bool
	list    ChannelSet
	listAt  int64
	own     ChannelSet
	out     ChannelSet // of these
	ownTime [NumChannels]int64
}

const (
	contactZone = 1 << iota
	contactWhole
	contactChannels
)

// Zone is the mark of the customer's time zone; 0: it is unknown.
func (c Contact) Zone() uint32 {
	parts, _ := c.read()
	return parts.zone
}

// Unsubscribed are the channels that the customer is unsubscribed from; false: nothing is known of any.
func (c Contact) Unsubscribed() (channels ChannelSet, known bool) {
	parts, _ := c.read()
	return parts.list&^parts.own | parts.out, parts.whole || parts.own != 0
}

// Apply takes an event's change at a time in ms into account. It may change c in place, and returns the contact.
func (c Contact) Apply(at int64, change *ContactChange) Contact {
	parts, _ := c.read()
	if change.Zone != 0 && (parts.zone == 0 || at >= parts.zoneAt) {
		parts.zone, parts.zoneAt = change.Zone, at
	}
	if change.Whole && (!parts.whole || at >= parts.listAt) {
		parts.whole, parts.list, parts.listAt = true, change.Out, at
		for n := range parts.own.All {
			if parts.ownTime[n] <= at {
				parts.own, parts.out = parts.own&^(1<<n), parts.out&^(1<<n)
			}
		}
	}
	if !change.Whole {
		for n := range (change.Out | change.In).All {
			parts.note(n, change.Out&(1<<n) != 0, at)
		}
	}
	return parts.append(c[:0])
}

// note takes an event about a channel into account.
func (p *contactParts) note(n Channel, out bool, at int64) {
	bit := ChannelSet(1) << n
	if p.whole && at < p.listAt || p.own&bit != 0 && at < p.ownTime[n] {
		return
	}
	p.own, p.out, p.ownTime[n] = p.own|bit, p.out&^bit, at
	if out {
		p.out |= bit
	}
}

func (p *contactParts) append(dst []byte) Contact {
	var parts byte
	if p.zone != 0 {
		parts |= contactZone
	}
	if p.whole {
		parts |= contactWhole
	}
	if p.own != 0 {
		parts |= contactChannels
	}
	if parts == 0 {
		return dst
	}
	dst = append(dst, parts)
	if p.zone != 0 {
		dst = encode.AppendTime(binary.LittleEndian.AppendUint32(dst, p.zone), p.zoneAt)
	}
	if p.whole {
		dst = encode.AppendTime(append(dst, byte(p.list)), p.listAt)
	}
	if p.own != 0 {
		dst = append(dst, byte(p.own), byte(p.out))
		for n := range p.own.All {
			dst = encode.AppendTime(dst, p.ownTime[n])
		}
	}
	return dst
}

// read takes a contact apart; false: it is none.
func (c Contact) read() (p contactParts, ok bool) {
	if len(c) == 0 {
		return p, true
	}
	r := encode.NewReader(c)
	parts := r.Byte()
	if parts&contactZone != 0 {
		p.zone, p.zoneAt = r.Uint32(), r.Time()
	}
	if parts&contactWhole != 0 {
		p.whole, p.list, p.listAt = true, ChannelSet(r.Byte()), r.Time()
	}
	if parts&contactChannels != 0 {
		p.own, p.out = ChannelSet(r.Byte()), ChannelSet(r.Byte())
		for n := range p.own.All {
			p.ownTime[n] = r.Time()
		}
	}
	return p, r.Whole() && p.valid(parts)
}

// valid reports whether a contact of some parts is one that Apply makes.
func (p *contactParts) valid(parts byte) bool {
	newest := max(p.zoneAt, p.listAt)
	for n := range p.own.All {
		if p.whole && p.ownTime[n] < p.listAt {
			return false
		}
		newest = max(newest, p.ownTime[n])
	}
	return parts != 0 && parts < contactChannels<<1 && (parts&contactZone != 0) == (p.zone != 0) &&
		(parts&contactChannels != 0) == (p.own != 0) && p.out&^p.own == 0 && newest <= moment.Max
}

// Valid reports whether c is a contact.
func (c Contact) Valid() bool {
	_, ok := c.read()
	return ok
}
