package decode_test

import (
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// TestVisitors: a message without a userId counts for nothing, unless the settings have visitors tracked. What is wrong
// with it is found either way.
func TestVisitors(t *testing.T) {
	ignoring, err := decode.Of(&pipeline.Settings{Rules: decode.Rules})
	if err != nil {
		t.Fatal(err)
	}
	tracking, err := decode.Of(&pipeline.Settings{Rules: decode.Rules, TrackAnonymous: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		record    string
		customer  string
		anonymous bool
		code      pipeline.Code
	}{
		"a customer": {record: trackJSON(), customer: "c-1"},
		"a customer on a known device": {
			record: trackJSON("anonymousId", `"a"`), customer: "c-1",
		},
		"a visitor":                {record: trackJSON("userId", "null", "anonymousId", `"a"`), customer: "a", anonymous: true},
		"a visitor, empty user id": {record: trackJSON("userId", `""`, "anonymousId", `"a"`), customer: "a", anonymous: true},
		"a visitor without a type": {
			record: trackJSON("userId", "", "anonymousId", `"a"`, "event", ""), code: pipeline.TypeMissing,
		},
		"nobody":              {record: trackJSON("userId", "null"), code: pipeline.CustomerMissing},
		"flat, so a customer": {record: flatJSON("anonymousId", `"a"`), customer: "c-1"},
	} {
		for tracks, d := range map[bool]*decode.Decoder{false: ignoring, true: tracking} {
			var e pipeline.Event
			d.Decode(&pipeline.Record{Value: []byte(c.record)}, &e)
			if e.Code != c.code || string(e.Customer) != c.customer || e.Anonymous != (c.anonymous && !tracks) {
				t.Errorf("%s, tracked %v: code %v, customer %q, anonymous %v", name, tracks, e.Code, e.Customer, e.Anonymous)
			}
		}
	}
}
