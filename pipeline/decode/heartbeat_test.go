package decode

import (
	"testing"

	"ebb/pipeline"
)

// TestHeartbeat: an event of the type of heartbeats needs no customer, and counts for none; its source is known. Other
// events need one, and so do all where there are no heartbeats.
func TestHeartbeat(t *testing.T) {
	header := []byte("\x04\x1cce_specversion\x061.0\x0ece_type\x12Heartbeat")
	for name, c := range map[string]struct {
		heartbeat, value string
		headers          []byte
		code             pipeline.Code
		beats            bool
		source           string
	}{
		"flat":            {"Heartbeat", `{"type":"Heartbeat","source":"shop","time":1772357400}`, nil, pipeline.Usable, true, "shop"},
		"of a customer":   {"Heartbeat", `{"type":"Heartbeat","customer":"c","time":1772357400}`, nil, pipeline.Usable, true, ""},
		"another event":   {"Heartbeat", `{"type":"Visit","source":"shop","time":1772357400}`, nil, pipeline.CustomerMissing, false, ""},
		"none configured": {"", `{"type":"Heartbeat","source":"shop","time":1772357400}`, nil, pipeline.CustomerMissing, false, ""},
		"without a time":  {"Heartbeat", `{"type":"Heartbeat","source":"shop"}`, nil, pipeline.TimeMissing, false, ""},
		"a source that is no text": {
			"Heartbeat", `{"type":"Visit","customer":"c","source":7,"time":1772357400}`, nil, pipeline.Usable, false, "",
		},
		"CloudEvent": {
			"Heartbeat", `{"specversion":"1.0","type":"Heartbeat","source":"/shop","time":"2026-03-01T09:30:00Z"}`, nil,
			pipeline.Usable, true, "/shop",
		},
		"binary CloudEvent": {"Heartbeat", "", header, pipeline.Usable, true, ""},
	} {
		var e pipeline.Event
		New(0).Beating(c.heartbeat).Decode(
			&pipeline.Record{Timestamp: 1_772_357_400_000, Value: []byte(c.value), Headers: c.headers}, &e,
		)
		if e.Code != c.code || e.Heartbeat != c.beats || string(e.Source) != c.source ||
			e.Counts() != (c.code == pipeline.Usable && !c.beats) {
			t.Errorf("%s: code %s, heartbeat %v, source %q", name, e.Code, e.Heartbeat, e.Source)
		}
	}
}
