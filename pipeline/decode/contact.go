package decode

import (
	"strings"

	"ebb/pipeline"
	"ebb/scoring/profile"
	"ebb/scoring/zone"
)

// How and when a customer may be written to: an identify says where the customer lives (zone) and what it has
// unsubscribed from; events named Unsubscribed, Subscribed and Resubscribed change that. A name that is none is counted
// and says nothing: it never makes a record unusable.
//
//	zone, else timezone      a name of the tz database
//	unsubscribed             the channels, and no others: a list, one, or true or false for all or none. Where a name in it
//	                         is none, the others stay as they are
//	channel, else channels   of the other events: a list, one, or "all". An Unsubscribed without any is of e-mail, as Segment
//	                         has it; the others are of none then: nobody is subscribed by what may mean something else

// identifies reports whether an event's type is that of a control event about its customer's traits. (A Segment message
// is one by its call.)
func (d *Decoder) identifies(kind []byte) bool {
	return d.rules >= rulesContact && string(kind) == "identify"
}

// subscription reports whether an event's type is of one that changes subscriptions; in: it allows to write.
func subscription(kind []byte) (is, in bool) {
	switch string(kind) {
	case "Unsubscribed":
		return true, false
	case "Subscribed", "Resubscribed":
		return true, true
	}
	return false, false
}

// contactPaths are where the contact may lie below an object; of several places the first with a value counts.
type contactPaths struct {
	root                          mappedNode
	zones, unsubscribed, channels []*mappedNode
}

// contactSlots is how many places there are at most.
const contactSlots = 16

var (
	// contactBelow are those below the properties of flat JSON and the data of a CloudEvent.
	contactBelow = newContactPaths( //nolint:gochecknoglobals // a table
		"zone,timezone,traits.zone,traits.timezone", "unsubscribed,traits.unsubscribed", "channel,channels",
	)
	// segmentContact are those in a Segment message. Its libraries send the device's own zone in the context.
	segmentContact = newContactPaths( //nolint:gochecknoglobals // a table
		"traits.zone,traits.timezone,context.traits.zone,context.traits.timezone,context.timezone",
		"traits.unsubscribed,context.traits.unsubscribed", "properties.channel,properties.channels",
	)
)

func newContactPaths(zones, unsubscribed, channels string) (p contactPaths) {
	enter := func(paths string) (ends []*mappedNode) {
		for path := range strings.SplitSeq(paths, ",") {
			ends = append(ends, p.root.enter(strings.Split(path, ".")))
		}
		return ends
	}
	p.zones, p.unsubscribed, p.channels = enter(zones), enter(unsubscribed), enter(channels)
	if p.root.number(0) > contactSlots {
		panic("BUG: more places of the contact than slots")
	}
	return p
}

// readContact notes what an event says of its customer's contact. object is the place in b that the paths are below, and
// has been validated.
func (d *Decoder) readContact(b []byte, object jsonToken, p *contactPaths, e *pipeline.Event) {
	change, in := subscription(e.Type)
	identify := e.Control && string(e.Type) == "identify"
	if d.rules < rulesContact || !change && !identify {
		return
	}
	d.found.seen = 0
	if object.kind == jsonObject {
		const inside = 1 // a level at which only the tree's members are read
		d.walkObject(b, object.from, inside, &p.root)
	}
	if identify {
		d.readZone(b, d.firstOf(p.zones), e)
		if t := d.firstOf(p.unsubscribed); t.kind > jsonNull {
			e.Contact.Out, e.Contact.Whole = d.channels(b, t, e)
		}
		return
	}
	d.readSubscription(b, d.firstOf(p.channels), in, e)
}

// firstOf is the first value that is not absent.
func (d *Decoder) firstOf(places []*mappedNode) (t jsonToken) {
	for _, n := range places {
		if t = d.found.get(n.slot); !t.absent() {
			break
		}
	}
	return t
}

func (d *Decoder) readZone(b []byte, t jsonToken, e *pipeline.Event) {
	name, fault := d.text(b, t, pipeline.MaxType, false)
	if fault == textMissing {
		return
	}
	if z := zone.Named(name); z != nil {
		e.Contact.Zone = uint32(z.Mark)
	} else {
		e.NoZone = true
	}
}

func (d *Decoder) readSubscription(b []byte, t jsonToken, in bool, e *pipeline.Event) {
	of := profile.ChannelSet(0)
	switch {
	case !t.absent():
		of, _ = d.channels(b, t, e)
	case !in:
		of = 1 << profile.Email
	}
	switch e.Contact.Whole = of == profile.AllChannels; {
	case !in:
		e.Contact.Out = of
	case !e.Contact.Whole:
		e.Contact.In = of
	}
}

// channels are those that a value names; whole: it names nothing else.
func (d *Decoder) channels(b []byte, t jsonToken, e *pipeline.Event) (all profile.ChannelSet, whole bool) {
	switch t.kind {
	case jsonTrue:
		return profile.AllChannels, true
	case jsonFalse:
		return 0, true
	case jsonOther:
		whole = true
		for i := skipSpace(b, t.from+1); b[i] != ']'; {
			one, next := scanValue(b, i, 1)
			of, known := d.channel(b, one, e)
			all, whole = all|of, whole && known
			if i = skipSpace(b, next); b[i] == ',' {
				i = skipSpace(b, i+1)
			}
		}
		return all, whole
	default:
		return d.channel(b, t, e)
	}
}

// channel is the channel, or all of them, that a value names; false: it names none that is known.
func (d *Decoder) channel(b []byte, t jsonToken, e *pipeline.Event) (of profile.ChannelSet, known bool) {
	name, fault := d.text(b, t, pipeline.MaxType, false)
	if fault == textMissing {
		return 0, true
	}
	if string(name) == "all" {
		return profile.AllChannels, true
	}
	c, known := profile.ChannelNamed(name)
	if !known {
		e.NoChannel = true
		return 0, false
	}
	return 1 << c, true
}
