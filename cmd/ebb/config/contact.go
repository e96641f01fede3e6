package config

import (
	"encoding/json"
	"maps"
	"slices"

	"ebb/scoring/zone"
)

// Contact is where customers live of whom no event says it.
type Contact struct {
	Zone  string            // of all tenants; empty: unknown
	Zones map[string]string // of some tenants, by their names
}

func (c *Contact) settings() []setting {
	return []setting{
		{
			path:  "contact.zone",
			value: textValue{&c.Zone},
			doc: "Time zone, such as `Europe/Berlin`, of customers whose own no `identify` has named: an alert says from when on " +
				"they may be written to (`not_before`), which is never from 21 to 9 o'clock there. Empty: of such customers it " +
				"says nothing. [Contact](events.md#contact).",
		},
		{
			path:  "contact.zones",
			value: namesValue{&c.Zones, "tenant=zone"},
			doc: "The same for the customers of some tenants, in place of `contact.zone`. In the environment " +
				"`shop-de=Europe/Berlin,shop-us=America/New_York`.",
		},
	}
}

// zones is Zones in the form of the settings that decide.
func (c *Contact) zones() string {
	if len(c.Zones) == 0 {
		return ""
	}
	b, err := json.Marshal(c.Zones)
	if err != nil {
		panic("BUG: names are plain texts: " + err.Error())
	}
	return string(b)
}

func (l *loader) checkContact(c *Contact) {
	const want = "want a name of the tz database, such as Europe/Paris or UTC; found %q"
	if c.Zone != "" && zone.Named([]byte(c.Zone)) == nil {
		l.problem("contact.zone", want, c.Zone)
	}
	for _, tenant := range slices.Sorted(maps.Keys(c.Zones)) {
		if zone.Named([]byte(c.Zones[tenant])) == nil {
			l.contradiction("contact.zones."+tenant, "contact.zones", want, c.Zones[tenant])
		}
	}
}
