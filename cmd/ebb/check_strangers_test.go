package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/cmd/ebb/check"
)

// strangers are records as others' programs send them, with what ebb makes of each, in the default pack.
const strangers = `{"type":"track","event":"Filter Applied","userId":"u1","messageId":"m1","timestamp":"2026-03-01T09:30:00.000Z","properties":{"value":"blue"}}
segment: customer u1, type Filter Applied, time 2026-03-01T09:30:00.000Z, id m1, no money in /properties/value ("blue")
{"type":"page","userId":"u1","timestamp":"2026-03-01T09:30:00.000Z","properties":{"total":"7 hits","currency":"EUR"}}
segment: customer u1, type Page Viewed, time 2026-03-01T09:30:00.000Z, no money in /properties/total ("7 hits")
{"type":"track","event":"Order Completed","userId":"u1","timestamp":"2026-03-01T09:30:00.000Z","properties":{"revenue":"$19.99"}}
value_unreadable: /properties/revenue: the value is no decimal number: "$19.99"
{"type":"track","event":"Order Completed","userId":"u1","timestamp":"2026-03-01T09:30:00.000+0000","properties":{"revenue":1.5e-7}}
segment: customer u1, type Order Completed, time 2026-03-01T09:30:00.000Z, value 0.00
{"specversion":"1.0","id":"1","source":"/s","type":"Order Completed","subject":"order-7","time":"2026-03-01T09:30:00Z","data_base64":"eyJjdXN0b21lciI6ImMtNyIsInZhbHVlIjo1fQ=="}
cloudevent: customer c-7, type Order Completed, time 2026-03-01T09:30:00.000Z, value 5.00, id 1
{"specversion":"1.0","id":"1","source":"/s","type":"Order Completed","subject":"order-7","time":"2026-03-01T09:30:00Z","data_base64":"eyJjdXN0b21lciI6"}
not_json: /data_base64: the data is not JSON, as it was to be: "eyJjdXN0b21lciI6"
{"specversion":"0.3","id":"1","source":"/s","type":"Order Completed","subject":"order-7","time":"2026-03-01T09:30:00Z","datacontentencoding":"base64","data":"eyJjdXN0b21lciI6ImMtNyIsInZhbHVlIjoiJCJ9"}
value_unreadable: /data/value: the value is no decimal number: "$"
{"specversion":"1.0","id":"1","source":"/s","type":"Order Completed","subject":"order-7","time":"2026-03-01T09:30:00Z","data":"eyJjdXN0b21lciI6ImMtNyJ9"}
cloudevent: customer order-7 (the subject), type Order Completed, time 2026-03-01T09:30:00.000Z, id 1
{"specversion":"1.0","id":"1","source":"/s","type":"Order Completed","subject":"order-7","time":"2026-03-01T09:30:00Z","data":[{"customer":"c-7"}]}
cloudevent: customer order-7 (the subject), type Order Completed, time 2026-03-01T09:30:00.000Z, id 1
{"specversion":"1.0","id":"1","source":"/s","type":"Order Completed","subject":"order-7","time":"2026-03-01T09:30:00Z","data":"{\"customer\":\"c-7\",\"value\":\"5 EUR\"}"}
value_unreadable: /data/value: the value is no decimal number: "5 EUR"
{"specversion":"1.0","id":"1","source":"/s","type":"Seen","subject":"c-7","time":"2026-03-01T09:30:00Z","data":"{\"value\":\"5 EUR\"}"}
cloudevent: customer c-7 (the subject), type Seen, time 2026-03-01T09:30:00.000Z, id 1, no money in /data/value ("5 EUR")
{"batch":[{"type":"track","event":"Seen","userId":"c-7","timestamp":"2026-03-01T09:30:00Z"},{"type":"page"}],"sentAt":"2026-03-01T09:30:00Z"}
customer_missing: /customer: names no customer: a batch of messages, which is no event
{"customer":"c-7","type":"Seen","time":"2026-03-01 09:30:00"}
time_unreadable: /time: the time has no offset, such as Z or +01:00: "2026-03-01 09:30:00"
{"customer":"c-7","type":"Seen","time":1.7723574E9,"value":1,"currency":"Euro"}
flat: customer c-7, type Seen, time 2026-03-01T09:30:00.000Z, no money in /currency ("Euro")
`

// TestCheckSampleOfStrangers shows what becomes of what others' programs send.
func TestCheckSampleOfStrangers(t *testing.T) {
	var records, want []string
	for i, line := range strings.Split(strings.TrimSpace(strangers), "\n") {
		if i%2 == 0 {
			records = append(records, line)
		} else {
			want = append(want, line)
		}
	}
	o := run(
		t,
		nil,
		strings.NewReader("\ufeff"+strings.Join(records, "\r\n")),
		"check",
		"--sample",
		"-",
	).want(t, exitFailed)
	var got []string
	for line := range strings.Lines(o.stdout) {
		if _, rest, ok := strings.Cut(line, "stdin:"); ok {
			_, words, _ := strings.Cut(rest, ": ")
			got = append(got, strings.TrimSpace(words))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(o.stdout, "input.mapping.time.zone") {
		t.Errorf("no word of the zone:\n%s", o.stdout)
	}
}

// TestCheckSampleInZone: a mapping that names the zone reads times without an offset, and one that does not is told
// how.
func TestCheckSampleInZone(t *testing.T) {
	const line = `{"event_type":"Order Completed","user_id":"u-1","event_time":"2022-05-16 19:13:09.369000","$insert_id":null}`
	mapping := "input: {mapping: {customer: /user_id, type: /event_type, id: /$insert_id, time: {path: /event_time%}}}\n"
	file := func(zone string) string {
		path := filepath.Join(t.TempDir(), "ebb.yaml")
		if err := os.WriteFile(path, []byte("\ufeff"+strings.Replace(mapping, "%", zone, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for zone, want := range map[string]string{
		", zone: UTC":                   "2022-05-16T19:13:09.369Z",
		", zone: Europe/Paris":          "2022-05-16T17:13:09.369Z",
		`, as: rfc3339, zone: "-03:30"`: "2022-05-16T22:43:09.369Z",
	} {
		o := run(t, nil, strings.NewReader(line), "check", "-c", file(zone), "--json", "--sample", "-").want(t, exitOK)
		var got check.Record
		err := json.NewDecoder(bytes.NewReader([]byte(o.stdout))).Decode(&got)
		if err != nil || got.Time != want || got.ID != "" {
			t.Errorf("%s: %+v, %v; want %s", zone, got, err, want)
		}
	}
	o := run(t, nil, strings.NewReader(line), "check", "-c", file(""), "--sample", "-").want(t, exitFailed)
	if !strings.Contains(o.stdout, "say of which zone such times are: input.mapping.time.zone: UTC, or a name such as") {
		t.Error(o.stdout)
	}
	o = run(t, nil, strings.NewReader(line), "check", "-c", file(", zone: PST"), "--sample", "-").want(t, exitUsage)
	if !strings.Contains(
		o.stderr,
		`input.mapping.time.zone: want UTC, a name such as Europe/Paris, or an offset such as +02:00; found "PST"`,
	) {
		t.Error(o.stderr)
	}
}

// TestCheckSampleOfUnnamedTypes: events that are read and are activity of nobody, because the pack knows their types by
// other names, do not pass as fine.
func TestCheckSampleOfUnnamedTypes(t *testing.T) {
	const lines = `{"customer":"c-1","type":"order_completed","time":1772357400}
{"customer":"c-2","type":"order_completed","time":1772357400}
{"customer":"c-2","type":"Order Completed ","time":1772357400}
{"customer":"c-3","type":"Order Completed","time":1772357400}
{"type":"identify","userId":"c-3","timestamp":1772357400}
`
	got := run(t, nil, strings.NewReader(lines), "check", "--sample", "-").want(t, exitOK).stdout
	words := strings.Join(strings.Fields(got), " ")
	for _, want := range []string{"3 of types that the pack retail does not name", `: "order_completed", "Order Completed ";`, "pack.activity"} {
		if !strings.Contains(words, want) {
			t.Errorf("not said: %q in\n%s", want, got)
		}
	}
	got = run(t, []string{"EBB_PACK=any"}, strings.NewReader(lines), "check", "--sample", "-").want(t, exitOK).stdout
	if strings.Contains(got, "does not name") {
		t.Errorf("a pack that takes every type does not name some:\n%s", got)
	}
}

// TestCheckSampleTellsTheSubject: where a CloudEvent's data does not name the customer, its subject is taken, and may be
// an order; what shows the events says so.
func TestCheckSampleTellsTheSubject(t *testing.T) {
	const event = `{"specversion":"1.0","id":"1","source":"/s","type":"Order Completed","subject":"order-7","time":1772357400,`
	lines := event + `"data":{"Customer":"c-7"}}` + "\n" + event + `"data":"eyJjdXN0b21lciI6ImMtNyJ9"}` + "\n" +
		event + `"data":{"customer":"c-7"}}` + "\n"
	got := run(t, nil, strings.NewReader(lines), "check", "--sample", "-").want(t, exitOK).stdout
	if n := strings.Count(got, "customer order-7 (the subject),"); n != 2 {
		t.Errorf("%d customers are said to be the subject, want 2:\n%s", n, got)
	}
	if !strings.Contains(got, "customer c-7, type") {
		t.Errorf("the third is not the data's:\n%s", got)
	}
}

// TestCheckSampleCuresData: a CloudEvent whose data is damaged is one JSON object a line already.
func TestCheckSampleCuresData(t *testing.T) {
	const event = `{"specversion":"1.0","id":"1","source":"/s","type":"Seen","subject":"c","time":1772357400,"data_base64":"H4sIAA=="}`
	got := run(t, nil, strings.NewReader(event), "check", "--sample", "-").want(t, exitFailed).stdout
	if words := strings.Join(strings.Fields(got), " "); !strings.Contains(words, "put JSON into the event's data") {
		t.Errorf("the advice is not about the data:\n%s", got)
	}
}

// TestCheckSampleCuresBatches: nobody is advised to map one message of a Segment batch, which would drop the others.
func TestCheckSampleCuresBatches(t *testing.T) {
	const batch = `{"batch":[{"type":"track","event":"Seen","userId":"c-7"},{"type":"page","userId":"c-8"}]}`
	got := run(t, nil, strings.NewReader(batch), "check", "--sample", "-").want(t, exitFailed).stdout
	words := strings.Join(strings.Fields(got), " ")
	if !strings.Contains(words, "send each message of the batch as a record of its own") ||
		strings.Contains(words, "input.mapping") {
		t.Errorf("advice:\n%s", got)
	}
}
