package format_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/sinks/format"
)

var renderer = format.Renderer{
	Alerts:    "ebb.alerts",
	DLQ:       "shop.events.dlq",
	Control:   "ebb.control",
	Packs:     "ebb.packs",
	Decisions: "ebb.decisions",
	Holdout:   "ebb.alerts.holdout",
	Audience:  "ebb.audience",
	Group:     "ebb",
	Input:     "shop.events",
	InputID:   "id-1",
	Partition: 3,
	Source:    format.Source("ebb", "shop.events"),
}

func retail() *pack.Pack {
	p, err := pack.Load("any", nil, pack.Overrides{})
	if err != nil {
		panic(err)
	}
	return p
}

// alert is an outbox entry of a customer whose name is not plain ASCII.
func raised() *pipeline.Entry {
	e := &pipeline.Entry{
		Kind:   pipeline.EntryAlert,
		Offset: 17,
		Key:    pipeline.AppendKey(nil, []byte("acme"), []byte("Zoë/1")),
		By:     alert.NewRenderer(retail()),
	}
	e.Alert.Transition, e.Alert.At, e.Alert.Episode = scoring.Raised, 1_700_000_040_005, 1
	e.Alert.Tenant, e.Alert.Customer = pipeline.SplitKey(e.Key)
	return e
}

// render gives the record alone.
func render(e *pipeline.Entry, record *pipeline.Record) pipeline.Outgoing {
	out, _ := renderer.Render(nil, e, record)
	return out
}

// show writes a record as text, one line for each part.
func show(o pipeline.Outgoing) string {
	var b strings.Builder
	fmt.Fprintf(
		&b,
		"topic %s\npartition %d\nkey %q\nvalue %q\ntimestamp %d\n",
		o.Topic,
		o.Partition,
		o.Key,
		o.Value,
		o.Timestamp,
	)
	for key, value := range kafkabatch.Headers(o.Headers) {
		fmt.Fprintf(&b, "header %s: %q\n", key, value)
	}
	return b.String()
}

func TestRenderAlert(t *testing.T) {
	want := `topic ebb.alerts
partition -1
key "Zoë/1"
value %q
timestamp 1700000040005
header ce_specversion: "1.0"
header ce_id: "%v"
header ce_source: "/ebb/ebb/shop.events"
header ce_type: "ebb.alert.lapse.raised.v1"
header ce_subject: "Zoë/1"
header ce_time: "2023-11-14T22:14:00.005Z"
header ce_partitionkey: "Zoë/1"
header content-type: "application/json"
`
	a := raised().Alert
	want = fmt.Sprintf(want, alert.NewRenderer(retail()).AppendAlert(nil, &a, a.ID()), a.ID())
	if diff := cmp.Diff(want, show(render(raised(), nil))); diff != "" {
		t.Errorf("alert (-want +got):\n%s", diff)
	}
}

// TestRenderReusesItsRoom: what is built for one alert is overwritten by the next, and no room is asked for anew.
func TestRenderReusesItsRoom(t *testing.T) {
	e := raised()
	_, scratch := renderer.Render(nil, e, nil)
	if n := testing.AllocsPerRun(100, func() { _, scratch = renderer.Render(scratch[:0], e, nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestRenderQuarantined(t *testing.T) {
	record := &pipeline.Record{
		Offset:     99,
		Timestamp:  1_400_000_000_000,
		AppendTime: true,
		Key:        nil,
		Value:      []byte("not \x00 JSON"),
		Headers: kafkabatch.AppendHeaders(
			nil,
			nil,
			kafkabatch.Header{Key: "traceparent", Value: []byte("00-1")},
			kafkabatch.Header{Key: "null"},
		),
	}
	want := `topic shop.events.dlq
partition -1
key ""
value "not \x00 JSON"
timestamp 1400000000000
header traceparent: "00-1"
header null: ""
header __streams.errors.exception: "ebb.UnusableRecord"
header __streams.errors.message: "record cannot be used: not_json"
header __streams.errors.topic: "shop.events"
header __streams.errors.partition: "3"
header __streams.errors.offset: "99"
header ebb.error.code: "not_json"
header ebb.error.timestamp: "1400000000000"
`
	got := render(&pipeline.Entry{Kind: pipeline.EntryQuarantine, Offset: 99, Code: pipeline.NotJSON}, record)
	if diff := cmp.Diff(want, show(got)); diff != "" {
		t.Errorf("quarantined (-want +got):\n%s", diff)
	}
	if got.Key != nil {
		t.Error("a null key has become an empty one")
	}
}

// TestRenderKeepsTheRecord keeps every byte of a record, whatever it holds.
func TestRenderKeepsTheRecord(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		record := &pipeline.Record{
			Timestamp: rapid.Int64().
				Draw(r, "time"),
			Key:   rapid.SliceOf(rapid.Byte()).Draw(r, "key"),
			Value: rapid.SliceOf(rapid.Byte()).Draw(r, "value"),
		}
		n := rapid.IntRange(0, 4).Draw(r, "headers")
		record.Headers = []byte{0}
		for range n {
			h := kafkabatch.Header{
				Key:   rapid.String().Draw(r, "header"),
				Value: rapid.SliceOf(rapid.Byte()).Draw(r, "header value"),
			}
			record.Headers = kafkabatch.AppendHeaders(nil, record.Headers, h)
		}
		code := pipeline.Code(rapid.IntRange(1, 17).Draw(r, "code"))
		got := render(&pipeline.Entry{Kind: pipeline.EntryQuarantine, Code: code}, record)
		if string(got.Key) != string(record.Key) || string(got.Value) != string(record.Value) ||
			got.Timestamp != record.Timestamp {
			r.Errorf("record %+v became %+v", record, got)
		}
		kept := string(got.Headers[1:])
		if len(kept) < len(record.Headers)-1 || kept[:len(record.Headers)-1] != string(record.Headers[1:]) {
			r.Errorf("headers %x became %x", record.Headers, got.Headers)
		}
		if grown := len(got.Headers) - len(record.Headers); grown > 1024 {
			r.Errorf("headers grew by %d bytes", grown)
		}
	})
}

func TestSourceIsAReference(t *testing.T) {
	for _, c := range [][3]string{
		{"ebb", "shop.events", "/ebb/ebb/shop.events"},
		{"a b/c?", "t", "/ebb/a%20b%2Fc%3F/t"},
	} {
		if got := format.Source(c[0], c[1]); got != c[2] {
			t.Errorf("source of %q and %q: %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

// TestRenderPack: a pack that begins is two records, its canonical form by its hash, and where it begins by whose that
// is.
func TestRenderPack(t *testing.T) {
	k := retail()
	e := &pipeline.Entry{
		Kind:      pipeline.EntryPack,
		Offset:    17,
		Pack:      pipeline.PackRef{Hash: k.Hash, Name: k.Name, Version: k.Version},
		Canonical: k.Canonical(),
	}
	out := render(e, nil)
	if out.Topic != "ebb.packs" || out.Partition != format.PacksPartition || string(out.Key) != k.Hash ||
		string(out.Value) != string(k.Canonical()) {
		t.Errorf("pack: %+v", out)
	}
	change := pipeline.Change{Kind: pipeline.ControlPack, Pack: e.Pack}
	out = render(&pipeline.Entry{Kind: pipeline.EntryControl, Offset: 17, Change: change}, nil)
	want := fmt.Sprintf(
		`{"group":"ebb","topic":"shop.events","topic_id":"id-1","partition":3,"offset":17,"kind":"pack","pack":{"hash":%q,"name":"any","version":%q}}`,
		k.Hash,
		k.Version,
	)
	if out.Topic != "ebb.control" || out.Partition != 3 || string(out.Key) != "ebb/shop.events/3" ||
		string(out.Value) != want {
		t.Errorf("control record: %+v\n%s\nwant\n%s", out, out.Value, want)
	}
	c, err := pipeline.ReadControl(out.Value)
	if err != nil || c.Change != change || c.Offset != 17 ||
		!c.Of(pipeline.Identity{Group: "ebb", Input: "shop.events", Topic: "id-1", Partition: 3}) {
		t.Errorf("read back: %+v, %v", c, err)
	}
}

// TestAlertType: the CloudEvents type tells kinds and transitions apart.
func TestAlertType(t *testing.T) {
	retail, err := pack.Load("retail", nil, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	for kind, transition := range map[profile.Kind]scoring.Transition{
		profile.Lapse: scoring.Recovered, profile.Explicit: scoring.Raised, profile.Involuntary: scoring.Recovered, profile.ServiceFailure: scoring.Expired,
	} {
		e := raised()
		e.By = alert.NewRenderer(retail)
		e.Alert.Kind, e.Alert.Transition = kind, transition
		want := fmt.Sprintf("header ce_type: %q\n", "ebb.alert."+kind.String()+"."+transition.String()+".v1")
		out, _ := renderer.Render(nil, e, nil)
		if got := show(out); !strings.Contains(got, want) {
			t.Errorf("%s %s: no %q in\n%s", kind, transition, want, got)
		}
	}
}
