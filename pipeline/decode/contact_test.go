package decode_test

import (
	"fmt"
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring/profile"
	"ebb/scoring/zone"
)

// contactRead is what an event says of its customer's contact.
type contactRead struct {
	zone              string
	whole             bool
	out, in           profile.ChannelSet
	noZone, noChannel bool
}

func readOf(t *testing.T, d *decode.Decoder, record string) (contactRead, pipeline.Event) {
	t.Helper()
	var e pipeline.Event
	d.Reset()
	if d.Decode(&pipeline.Record{Value: []byte(record)}, &e); e.Code != pipeline.Usable {
		t.Errorf("%s: %v", record, e.Code)
	}
	c := e.Contact
	read := contactRead{whole: c.Whole, out: c.Out, in: c.In, noZone: e.NoZone, noChannel: e.NoChannel}
	if z := zone.Marked(zone.Mark(c.Zone)); z != nil {
		read.zone = z.Name
	}
	return read, e
}

const (
	email = profile.ChannelSet(1) << profile.Email
	sms   = profile.ChannelSet(1) << profile.SMS
)

// TestIdentify: an identify says where its customer lives and what it has unsubscribed from, in every envelope; what
// is no zone and no channel is counted, and says nothing.
func TestIdentify(t *testing.T) {
	d := decode.New(0)
	for name, c := range map[string]struct {
		traits string
		want   contactRead
	}{
		"a zone":               {`{"zone":"Europe/Paris"}`, contactRead{zone: "Europe/Paris"}},
		"by the other name":    {`{"timezone":"Asia/Kolkata"}`, contactRead{zone: "Asia/Kolkata"}},
		"the first counts":     {`{"timezone":"Asia/Kolkata","zone":"UTC"}`, contactRead{zone: "UTC"}},
		"escaped":              {`{"zone":"Europe\/Paris"}`, contactRead{zone: "Europe/Paris"}},
		"an offset":            {`{"zone":"+02:00"}`, contactRead{noZone: true}},
		"an abbreviation":      {`{"zone":"CEST"}`, contactRead{noZone: true}},
		"in small letters":     {`{"zone":"europe/paris"}`, contactRead{noZone: true}},
		"local":                {`{"zone":"Local"}`, contactRead{noZone: true}},
		"a number":             {`{"zone":2}`, contactRead{noZone: true}},
		"an object":            {`{"zone":{"name":"UTC"}}`, contactRead{noZone: true}},
		"half a character":     {`{"zone":"\ud83d"}`, contactRead{noZone: true}},
		"null":                 {`{"zone":null,"unsubscribed":null}`, contactRead{}},
		"empty":                {`{"zone":""}`, contactRead{}},
		"no traits":            {`{}`, contactRead{}},
		"other traits":         {`{"name":"x","plan":{"zone":"UTC"}}`, contactRead{}},
		"a list":               {`{"unsubscribed":["email", "SMS" ]}`, contactRead{whole: true, out: email | sms}},
		"an empty list":        {`{"unsubscribed":[ ]}`, contactRead{whole: true}},
		"one":                  {`{"unsubscribed":"email"}`, contactRead{whole: true, out: email}},
		"all":                  {`{"unsubscribed":["all"]}`, contactRead{whole: true, out: profile.AllChannels}},
		"true":                 {`{"unsubscribed":true}`, contactRead{whole: true, out: profile.AllChannels}},
		"false":                {`{"unsubscribed":false}`, contactRead{whole: true}},
		"an unknown one":       {`{"unsubscribed":["email","viber"]}`, contactRead{out: email, noChannel: true}},
		"unknown alone":        {`{"unsubscribed":"viber"}`, contactRead{noChannel: true}},
		"no channels":          {`{"unsubscribed":[1,{"a":[2]},["email"]]}`, contactRead{noChannel: true}},
		"null in a list":       {`{"unsubscribed":[null,"email"]}`, contactRead{whole: true, out: email}},
		"a channel is no part": {`{"channel":"email"}`, contactRead{}},
		"all together":         {`{"unsubscribed":["sms"],"zone":"UTC","x":[{}]}`, contactRead{zone: "UTC", whole: true, out: sms}},
	} {
		for envelope, record := range map[string]string{
			"flat":             `{"customer":"c","type":"identify","time":1700000000,"properties":%s}`,
			"flat, traits":     `{"customer":"c","type":"identify","time":1700000000,"properties":{"traits":%s}}`,
			"segment":          `{"type":"identify","userId":"c","timestamp":"2026-03-01T10:00:00Z","traits":%s}`,
			"segment, context": `{"type":"identify","userId":"c","timestamp":"2026-03-01T10:00:00Z","context":{"traits":%s}}`,
			"cloud event":      `{"specversion":"1.0","id":"1","source":"s","subject":"c","type":"identify","time":"2026-03-01T10:00:00Z","data":%s}`,
			"cloud, traits":    `{"specversion":"1.0","id":"1","source":"s","subject":"c","type":"identify","time":"2026-03-01T10:00:00Z","data":{"traits":%s}}`,
		} {
			if name == "a channel is no part" && envelope == "flat" {
				continue
			}
			if got, e := readOf(t, d, fmt.Sprintf(record, c.traits)); got != c.want || !e.Control {
				t.Errorf("%s, %s: %+v, control %v, want %+v", name, envelope, got, e.Control, c.want)
			}
		}
	}
	record := `{"type":"identify","userId":"c","timestamp":"2026-03-01T10:00:00Z","context":{"timezone":"Asia/Tokyo"}%s}`
	if got, _ := readOf(t, d, fmt.Sprintf(record, "")); got.zone != "Asia/Tokyo" {
		t.Errorf("the device's zone: %+v", got)
	}
	if got, _ := readOf(t, d, fmt.Sprintf(record, `,"traits":{"zone":"UTC"}`)); got.zone != "UTC" {
		t.Errorf("the customer's own zone beside the device's: %+v", got)
	}
	for _, call := range []string{"group", "alias"} {
		record := fmt.Sprintf(`{"type":%q,"userId":"c","timestamp":"2026-03-01T10:00:00Z","traits":{"zone":"UTC"}}`, call)
		if got, e := readOf(t, d, record); got != (contactRead{}) || !e.Control {
			t.Errorf("%s: %+v, control %v", call, got, e.Control)
		}
	}
}

// TestSubscriptions: an Unsubscribed says from which channels, else from e-mail; the others allow only what they name.
func TestSubscriptions(t *testing.T) {
	d := decode.New(0)
	for name, c := range map[string]struct {
		kind, properties string
		want             contactRead
	}{
		"out":              {"Unsubscribed", `{"channel":"email"}`, contactRead{out: email}},
		"out of some":      {"Unsubscribed", `{"channels":["email","sms"]}`, contactRead{out: email | sms}},
		"out of all":       {"Unsubscribed", `{"channel":"all"}`, contactRead{whole: true, out: profile.AllChannels}},
		"without one":      {"Unsubscribed", `{}`, contactRead{out: email}},
		"no properties":    {"Unsubscribed", `null`, contactRead{out: email}},
		"out of unknown":   {"Unsubscribed", `{"channel":"viber"}`, contactRead{noChannel: true}},
		"in":               {"Subscribed", `{"channel":"email"}`, contactRead{in: email}},
		"in again":         {"Resubscribed", `{"channel":"SMS"}`, contactRead{in: sms}},
		"in again to all":  {"Resubscribed", `{"channel":"all"}`, contactRead{whole: true}},
		"in to none":       {"Subscribed", `{"plan":"gold"}`, contactRead{}},
		"a zone of theirs": {"Subscribed", `{"channel":"email","zone":"UTC"}`, contactRead{in: email}},
		"another type":     {"Email Unsubscribed", `{"channel":"email"}`, contactRead{}},
	} {
		for envelope, record := range map[string]string{
			"flat":        `{"customer":"c","type":%q,"time":1700000000,"properties":%s}`,
			"segment":     `{"type":"track","userId":"c","event":%q,"timestamp":"2026-03-01T10:00:00Z","properties":%s}`,
			"cloud event": `{"specversion":"1.0","id":"1","source":"s","subject":"c","type":%q,"time":"2026-03-01T10:00:00Z","data":%s}`,
		} {
			if got, e := readOf(t, d, fmt.Sprintf(record, c.kind, c.properties)); got != c.want || e.Control {
				t.Errorf("%s, %s: %+v, control %v, want %+v", name, envelope, got, e.Control, c.want)
			}
		}
	}
}

// TestContactByFormerRules: settings that name the former rules read no contact, and an identify as before.
func TestContactByFormerRules(t *testing.T) {
	d, err := decode.Of(&pipeline.Settings{Rules: 1})
	if err != nil {
		t.Fatal(err)
	}
	for record, control := range map[string]bool{
		`{"customer":"c","type":"identify","time":1700000000,"properties":{"zone":"UTC"}}`:                false,
		`{"type":"identify","userId":"c","timestamp":"2026-03-01T10:00:00Z","traits":{"zone":"nowhere"}}`: true,
		`{"customer":"c","type":"Unsubscribed","time":1700000000}`:                                        false,
	} {
		if got, e := readOf(t, d, record); got != (contactRead{}) || e.Control != control {
			t.Errorf("%s: %+v, control %v", record, got, e.Control)
		}
	}
}

// TestContactAllocates: an event that says something of the contact takes no memory of its own.
func TestContactAllocates(t *testing.T) {
	d := decode.New(0)
	var e pipeline.Event
	for _, record := range []string{
		`{"type":"identify","userId":"c","timestamp":"2026-03-01T10:00:00Z","traits":{"zone":"Europe/Paris","unsubscribed":["email"]}}`,
		`{"customer":"c","type":"Unsubscribed","time":1700000000,"properties":{"channel":"email"}}`,
	} {
		r := pipeline.Record{Value: []byte(record)}
		if n := testing.AllocsPerRun(100, func() { d.Reset(); d.Decode(&r, &e) }); n > 0 {
			t.Errorf("%s: %v allocations", record, n)
		}
	}
}
