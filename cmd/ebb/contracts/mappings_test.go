package contracts_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ebb/scoring/scoringtest"
	"ebb/scoring/scoringtest/golden"
)

// raisedAlert is what requests of docs/mappings.md are made of.
type raisedAlert struct {
	ID         string    `json:"id"`
	EpisodeID  string    `json:"episode_id"`
	Customer   string    `json:"customer"`
	Kind       string    `json:"kind"`
	Transition string    `json:"transition"`
	Tier       string    `json:"tier"`
	Risk       float64   `json:"risk_score"`
	Priority   int       `json:"priority"`
	Expires    string    `json:"expires_at"`
	Time       time.Time `json:"time"`
	Value      struct {
		AtRisk   float64 `json:"at_risk"`
		Currency string  `json:"currency"`
	} `json:"value"`
	Playbook struct {
		ID        string `json:"id"`
		Intent    string `json:"intent"`
		RespondBy string `json:"respond_by"`
	} `json:"playbook"`
	Reasons []struct {
		Text string `json:"text"`
	} `json:"reasons"`
}

// properties are those that every vendor gets, flat, by names that all of them take.
func (a *raisedAlert) properties() object {
	return object{
		"alert_id":   a.ID,
		"episode_id": a.EpisodeID,
		"kind":       a.Kind,
		"tier":       a.Tier,
		"risk_score": a.Risk,
		"priority":   a.Priority,
		"playbook":   a.Playbook.ID,
		"intent":     a.Playbook.Intent,
		"respond_by": a.Playbook.RespondBy,
		"expires_at": a.Expires,
		"reason":     a.Reasons[0].Text,
	}
}

// major is money in units of a currency with two decimals.
func (a *raisedAlert) major() float64 { return a.Value.AtRisk / 100 }

// uuid is the id as a UUID.
func (a *raisedAlert) uuid() string {
	id := a.ID
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}

// ulid is the alert's time in ms, 48 bits, and the first 80 bits of its id, in Crockford's base 32.
func (a *raisedAlert) ulid() string {
	b := fmt.Appendf(nil, "%012x%s", a.Time.UnixMilli(), a.ID[:20])
	bits := scoringtest.Must(hex.DecodeString(string(b)))
	var text [26]byte
	rest := 0 // bits that are left of the byte before
	at, have := len(bits), 0
	for i := len(text) - 1; i >= 0; i-- {
		if have < 5 && at > 0 {
			at--
			rest |= int(bits[at]) << have
			have += 8
		}
		text[i] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[rest&31]
		rest >>= 5
		have -= 5
	}
	return string(text[:])
}

// request is one as docs/mappings.md shows it.
type request struct {
	url     string
	headers []string
	body    any
}

// curl is the request as a command.
func (r *request) curl() string {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r.body); err != nil {
		panic(err)
	}
	command := "curl -X POST " + r.url + " \\\n"
	for _, h := range r.headers {
		command += "  " + h + " \\\n"
	}
	return command + "  -d '" + strings.ReplaceAll(strings.TrimSpace(body.String()), "'", `'\''`) + "'\n"
}

func requests(a *raisedAlert) map[string]request {
	name := "ebb_" + a.Transition
	klaviyo := object{
		"properties":     a.properties(),
		"time":           a.Time,
		"value":          a.major(),
		"value_currency": a.Value.Currency,
		"unique_id":      a.ID,
		"metric":         object{"data": object{"type": "metric", "attributes": object{"name": name}}},
		"profile":        object{"data": object{"type": "profile", "attributes": object{"external_id": a.Customer}}},
	}
	priced := a.properties()
	priced["at_risk"], priced["currency"] = a.major(), a.Value.Currency
	const sendsJSON = "-H 'Content-Type: application/json'"
	return map[string]request{
		"braze": {
			"https://rest.iad-01.braze.com/users/track",
			[]string{"-H \"Authorization: Bearer $BRAZE_KEY\"", sendsJSON},
			object{"events": []any{object{"external_id": a.Customer, "name": name, "time": a.Time, "properties": priced}}},
		},
		"klaviyo": {
			"https://a.klaviyo.com/api/events", []string{
				"-H \"Authorization: Klaviyo-API-Key $KLAVIYO_KEY\"", "-H 'revision: 2026-10-15'",
				"-H 'Content-Type: application/vnd.api+json'", "-H 'Accept: application/vnd.api+json'",
			}, object{"data": object{"type": "event", "attributes": klaviyo}},
		},
		"customerio": {
			"https://track.customer.io/api/v1/customers/" + a.Customer + "/events",
			[]string{"-u \"$CIO_SITE_ID:$CIO_API_KEY\"", sendsJSON},
			object{"name": name, "id": a.ulid(), "timestamp": a.Time.Unix(), "data": priced},
		},
		"hubspot": {
			"https://api.hubapi.com/events/v3/send",
			[]string{"-H \"Authorization: Bearer $HUBSPOT_TOKEN\"", sendsJSON},
			object{
				"eventName": "pe1234567_" + name, "objectId": "51", "occurredAt": a.Time, "uuid": a.uuid(), "properties": priced,
			},
		},
	}
}

// TestMappingsShowRequests: the requests of docs/mappings.md are made of a published alert. -update writes them.
func TestMappingsShowRequests(t *testing.T) {
	var a raisedAlert
	payload := examples(t)["alert"][0].Payload.(json.RawMessage)
	if err := json.Unmarshal(payload, &a); err != nil || a.Transition != "raised" {
		t.Fatalf("%v: %s", err, payload)
	}
	all := requests(&a)
	path := filepath.Join(docs, "mappings.md")
	place := regexp.MustCompile("(?s)(<!-- request: (\\w+) -->\n```sh\n).*?(```\n)")
	text := place.ReplaceAllStringFunc(string(scoringtest.Must(os.ReadFile(path))), func(block string) string {
		m := place.FindStringSubmatch(block)
		r, known := all[m[2]]
		if !known {
			t.Errorf("no request for %s", m[2])
		}
		delete(all, m[2])
		return m[1] + r.curl() + m[3]
	})
	golden.Path(t, path, text)
	if len(all) > 0 {
		t.Errorf("docs/mappings.md shows no request for %v", all)
	}
}

// TestULID against the example of the ULID specification's libraries: time first, and no bit is lost.
func TestULID(t *testing.T) {
	a := raisedAlert{Time: time.UnixMilli(1_469_922_850_259), ID: "d6764c61efb99302bd5b0000000000aa"}
	if got := a.ulid(); got != "01ARZ3NDEKTSV4RRFFQ69G5FAV" {
		t.Error(got)
	}
}
