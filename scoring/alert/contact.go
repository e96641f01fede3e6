package alert

import (
	"ebb/scoring"
	"ebb/scoring/profile"
	"ebb/scoring/zone"
)

// zoneOfTenant says that a zone is not the customer's own.
const zoneOfTenant = "tenant"

// appendContact appends how and when the customer may be written to, as far as anything is known of it. Nothing is
// withheld for it.
func appendContact(dst []byte, d *scoring.Decision) []byte {
	if out, known := d.Contact.Unsubscribed(); known {
		dst = appendUnsubscribed(dst, out)
	}
	own, of := d.Contact.Zone(), d.Home
	if own != 0 {
		of = own
	}
	z := zone.Marked(zone.Mark(of))
	if z == nil {
		return dst
	}
	dst = append(append(append(dst, `,"zone":"`...), z.Name...), '"')
	if own == 0 {
		dst = append(dst, `,"zone_of":"`+zoneOfTenant+`"`...)
	}
	if !d.Transition.Ends() {
		dst = append(AppendTime(append(dst, `,"not_before":"`...), z.NotBefore(d.At)), '"')
	}
	return dst
}

// appendUnsubscribed appends whether a channel is left by which the customer may be written to, and which are not.
func appendUnsubscribed(dst []byte, out profile.ChannelSet) []byte {
	if out == profile.AllChannels {
		return append(dst, `,"contactable":false`...)
	}
	dst = append(dst, `,"contactable":true`...)
	before := `,"unsubscribed":["`
	for c := range out.All {
		dst, before = append(append(append(dst, before...), c.String()...), '"'), `,"`
	}
	if out != 0 {
		dst = append(dst, ']')
	}
	return dst
}

// saidContact is the contact in an alert.
type saidContact struct {
	Contactable  *bool    `json:"contactable"`
	Unsubscribed []string `json:"unsubscribed"`
	Zone         string   `json:"zone"`
	ZoneOf       string   `json:"zone_of"`
}

// decode is the inverse of appendContact, without the times.
func (said *saidContact) decode(d *scoring.Decision) {
	var change profile.ContactChange
	if said.Contactable != nil {
		change.Whole = true
		for _, name := range said.Unsubscribed {
			if c, ok := profile.ChannelNamed([]byte(name)); ok {
				change.Out |= 1 << c
			}
		}
		if !*said.Contactable {
			change.Out = profile.AllChannels
		}
	}
	if z := zone.Named([]byte(said.Zone)); z != nil {
		if said.ZoneOf == zoneOfTenant {
			d.Home = uint32(z.Mark)
		} else {
			change.Zone = uint32(z.Mark)
		}
	}
	if change != (profile.ContactChange{}) {
		d.Contact = profile.Contact(nil).Apply(d.At, &change)
	}
}
