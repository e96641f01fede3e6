package contracts_test

import (
	"encoding/json"
	"testing"
	"time"

	"ebb/cmd/ebb/processor"
	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/line"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
	"ebb/sinks/format"
)

// example is one of a message, in the form of AsyncAPI.
type example struct {
	Name    string            `json:"name"`
	Headers map[string]string `json:"headers,omitempty"`
	Payload any               `json:"payload"`
}

// record is what is published, as an example.
func record(name string, o *pipeline.Outgoing) example {
	e := example{Name: name, Headers: map[string]string{}, Payload: string(o.Value)}
	for key, value := range kafkabatch.Headers(o.Headers) {
		e.Headers[string(key)] = string(value)
	}
	if json.Valid(o.Value) {
		e.Payload = json.RawMessage(o.Value)
	}
	return e
}

// renderer makes the records of a group.
func renderer(group, alerts string) *format.Renderer {
	return &format.Renderer{
		Alerts: alerts, DLQ: "events.dlq", Control: "ebb.control", Packs: "ebb.packs", Decisions: "ebb.decisions",
		Holdout: "ebb.alerts.holdout", Audience: "ebb.audience", Group: group, Input: "events",
		InputID: "Zm9vYmFyYmF6cXV1eDAwMA", Partition: 3, Source: format.Source(group, "events"),
	}
}

// examples are those of all messages, by the names that docs/asyncapi.yaml gives these.
func examples(t *testing.T) map[string][]example {
	t.Helper()
	k, alerts := story(t)
	main, shadow := renderer("ebb", "ebb.alerts"), renderer("ebb.shadow.next", "ebb.shadow")
	all := map[string][]example{
		"quarantined": {quarantined(main)},
		"undelivered": {undelivered(k, main, &alerts[0])},
		"replayMark":  {replayMark()},
		"pack":        {smallPack(main)},
		"erased":      {erased(main)},
		"shadowAlert": {record("raised", rendered(shadow, alertEntry(k, &alerts[0]), nil))},
	}
	all["heldOutAlert"], all["arm"] = heldOut(k, main, alerts[0])
	for i := range alerts {
		a := &alerts[i]
		all["alert"] = append(all["alert"], record(a.Transition.String(), rendered(main, alertEntry(k, a), nil)))
	}
	for _, c := range changes() {
		e := pipeline.Entry{Kind: pipeline.EntryControl, Offset: 88_213, Change: c}
		all["control"] = append(all["control"], record(c.Kind, rendered(main, &e, nil)))
	}
	for _, e := range rulings(&alerts[0]) {
		all["decision"] = append(all["decision"], record(e.Ruling.Outcome.String(), rendered(main, &e, nil)))
	}
	for name, e := range events() {
		all[name] = append(all[name], e)
	}
	return all
}

func rendered(r *format.Renderer, e *pipeline.Entry, of *pipeline.Record) *pipeline.Outgoing {
	out, _ := r.Render(nil, e, of)
	return &out
}

func alertEntry(k *pack.Pack, a *alert.Alert) *pipeline.Entry {
	return &pipeline.Entry{
		Kind: pipeline.EntryAlert, Key: pipeline.AppendKey(nil, a.Tenant, a.Customer), Alert: *a, By: alert.NewRenderer(k),
	}
}

func erased(r *format.Renderer) example {
	a := alert.Alert{Tenant: []byte("shop-de"), Customer: []byte("c-42"), Cause: alert.Cause{
		EventID: []byte("x-1"), EventType: []byte(decode.EraseType), Partition: 3, Offset: 88_213, Time: begin,
	}}
	a.At = begin
	return record("by an event", rendered(r, &pipeline.Entry{Kind: pipeline.EntryErased, Alert: a}, nil))
}

// heldOut is a raise of a customer who is held out, and the record of the customer's arm.
func heldOut(k *pack.Pack, r *format.Renderer, a alert.Alert) (raise, arm []example) {
	a.Assigned = alert.Assignment{Arm: alert.HeldOut, Epoch: 229, Share: alert.Whole / 10}
	e := alertEntry(k, &a)
	raise = []example{record("raised", rendered(r, e, nil))}
	e.Kind, e.Until = pipeline.EntryAudience, 229*90*day
	return raise, []example{record("held out", rendered(r, e, nil))}
}

func quarantined(r *format.Renderer) example {
	of := pipeline.Record{Key: []byte("c-42"), Value: []byte(`{"customer": "c-42", `), Timestamp: begin}
	entry := pipeline.Entry{Kind: pipeline.EntryQuarantine, Offset: 88_213, Code: pipeline.NotJSON}
	return record("a text that was cut off", rendered(r, &entry, &of))
}

// rulings are one of each outcome, on a raise that a storm holds.
func rulings(a *alert.Alert) (all []pipeline.Entry) {
	for o := pipeline.Withheld; o <= pipeline.Withdrawn; o++ {
		r := pipeline.RulingOf(o, "storm", &a.Decision, 431)
		switch o {
		case pipeline.Withheld:
			r.Reason, r.Transition, r.Sequence = "unraised", scoring.Escalated, 2
		case pipeline.Hold:
			r.Review = a.At/pipeline.MinuteMillis + 95
		default:
			r.At += 2 * pipeline.HourMillis
		}
		if o == pipeline.Withdrawn {
			r.End = scoring.Recovered.String()
		}
		key := pipeline.AppendKey(nil, a.Tenant, a.Customer)
		all = append(all, pipeline.Entry{Kind: pipeline.EntryDecision, Key: key, Ruling: r})
	}
	return all
}

func undelivered(k *pack.Pack, r *format.Renderer, a *alert.Alert) example {
	out := rendered(r, alertEntry(k, a), nil)
	letter := format.Undelivered{
		Topic: "ebb.alerts.dlq", Group: "ebb.deliver", From: format.Place{Topic: "ebb.alerts", Partition: 1, Offset: 512},
		Reason: format.ReasonExpired, Attempts: 12, Failure: "timeout",
	}
	letters := letter.Outgoing(&pipeline.Record{Value: out.Value, Headers: out.Headers})
	return record("expired while the endpoint was away", &letters)
}

func replayMark() example {
	mark := format.Mark("events.dlq", 0, []format.ReplayID{{Partition: 3, Offset: 88_213, Sum: 0xc0ffee}}, begin)
	return record("one record", &mark)
}

// smallPack is the record of a pack that one can read.
func smallPack(r *format.Renderer) example {
	const text = "name: small\nversion: \"1\"\nhorizon: 90d\nactivity: [Order Completed]\nfriction: {Order Cancelled: 1}\n"
	k := scoringtest.Must(
		pack.Load("small.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{}),
	)
	e := pipeline.Entry{Kind: pipeline.EntryPack, Pack: ref(k), Canonical: k.Canonical()}
	return record("a small one", rendered(r, &e, nil))
}

func ref(k *pack.Pack) pipeline.PackRef {
	return pipeline.PackRef{Hash: k.Hash, Name: k.Name, Version: k.Version}
}

// changes are one of each kind of control record.
func changes() []pipeline.Change {
	at := time.UnixMilli(begin).UTC()
	source := pipeline.Turn{Name: "/shop/checkout", Since: at, At: at.Add(2 * time.Hour), Expected: 431, Seen: 7}
	return []pipeline.Change{
		{Kind: pipeline.ControlPack, First: true, Pack: pipeline.PackRef{Hash: "e2956ae5ab5c", Name: "retail", Version: "8"}},
		{Kind: pipeline.ControlSettings, Settings: pipeline.Settings{
			Rules: decode.Rules, MaxRecordBytes: 1 << 20, LatenessMillis: 300_000, RetentionMillis: 730 * day, Guard: 1,
			Heartbeat: "Heartbeat", Storm: 1, ReviewMillis: 3_600_000,
			Holdout: pipeline.Holdout{Share: alert.Whole / 10, Salt: "ebb", EpochMillis: 90 * day},
		}},
		{Kind: pipeline.ControlHistory, Until: 88_213},
		{Kind: pipeline.ControlTime, Minute: begin / pipeline.MinuteMillis},
		{Kind: pipeline.ControlRelease, Release: pipeline.Release{
			Number: 2, Reason: pipeline.HeldStorm.String(), Until: begin / pipeline.MinuteMillis, Count: 40, At: begin,
			Asked: "6f1c", Last: true, By: "kim", Why: "the feed is mended",
		}},
		{Kind: pipeline.ControlStorm, Storm: pipeline.Storm{
			Number: 1, Hour: at.Truncate(time.Hour), Raised: 412, Limit: 200, Usual: 50, Review: at.Add(time.Hour),
			Fired: pipeline.Due{Minute: begin / pipeline.MinuteMillis, Hash: 0xc0ffee},
		}},
		{Kind: pipeline.ControlErased, Erased: pipeline.Erased{
			Customer: 0xc0ffee, Key: 0xbeef, Until: at, By: "kim", Why: "request 17",
		}},
		{Kind: pipeline.ControlSilence, Silence: pipeline.Silence{
			Number: 3,
			ID:     "7F3KQ2",
			Match:  pipeline.Match{Kind: "lapse", Playbook: "win_back", Tenant: "shop-de", Pack: "retail"},
			Until:  at.Add(4 * time.Hour),
			By:     "kim",
			Why:    "the sender is down",
			Asked:  "9a0b",
		}},
		{Kind: pipeline.ControlStalled, Source: source},
		{Kind: pipeline.ControlResumed, Source: source},
	}
}

// events are one in each envelope.
func events() map[string]example {
	return map[string]example{
		"flat": {Name: "an order", Payload: json.RawMessage(`{"id": "o-1001", "customer": "c-42", "type": "Order Completed",
			"time": "2026-03-01T09:30:00Z", "value": "12.90", "currency": "EUR", "tenant": "shop-de", "source": "shop",
			"properties": {"sku": "A-1"}}`)},
		"segment": {
			Name: "an order",
			Payload: json.RawMessage(`{"type": "track", "event": "Order Completed", "userId": "c-42",
			"anonymousId": "8f1c2a30", "messageId": "m-1001", "properties": {"order_id": "o-1001", "revenue": 12.9,
			"currency": "EUR"}, "context": {"groupId": "shop-de"}, "timestamp": "2026-03-01T09:30:00.000Z",
			"sentAt": "2026-03-01T09:30:01.200Z"}`),
		},
		"cloudevent": {
			Name:    "an order",
			Headers: map[string]string{"content-type": "application/cloudevents+json"},
			Payload: json.RawMessage(
				`{"specversion": "1.0", "id": "o-1001", "source": "/shop/checkout", "type": "Order Completed",
				"subject": "c-42", "tenant": "shop-de", "time": "2026-03-01T09:30:00Z", "datacontenttype": "application/json",
				"data": {"order": "o-1001", "value": 12.9, "currency": "EUR"}}`,
			),
		},
		"binaryCloudevent": {
			Name: "an order", Headers: map[string]string{
				"ce_specversion": "1.0", "ce_id": "o-1001", "ce_source": "/shop/checkout", "ce_type": "Order Completed",
				"ce_subject": "c-42", "ce_tenant": "shop-de", "ce_time": "2026-03-01T09:30:00Z", "content-type": "application/json",
			},
			Payload: json.RawMessage(`{"order": "o-1001", "value": 12.9, "currency": "EUR"}`),
		},
	}
}

// TestExampleEventsAreRead: each envelope's example is the same order.
func TestExampleEventsAreRead(t *testing.T) {
	for name, e := range events() {
		r := pipeline.Record{Value: e.Payload.(json.RawMessage), Timestamp: begin + 1200}
		for key, value := range e.Headers {
			r.Headers = kafkabatch.AppendHeaders(nil, r.Headers, kafkabatch.Header{Key: key, Value: []byte(value)})
		}
		var got pipeline.Event
		decode.New(0).Decode(&r, &got)
		if got.Code != pipeline.Usable || string(got.Customer) != "c-42" || string(got.Type) != "Order Completed" ||
			string(got.Tenant) != "shop-de" || got.Time != begin || got.Value != 1290 {
			t.Errorf("%s is read as %+v", name, got)
		}
	}
}

// summary is one of a run, with everything that it may have.
func summary() processor.Summary {
	return processor.Summary{
		Events:        1000,
		Seconds:       1.25,
		Alerts:        12,
		Transitions:   map[string]uint64{"raised": 12},
		Quarantined:   3,
		Late:          2,
		TooLate:       1,
		Future:        1,
		Duplicates:    4,
		Erased:        2,
		BySubject:     5,
		OtherCurrency: 1,
		Suppressed:    6,
		Withdrawn:     3,
		Held:          7,
		Ineligible:    8,
		Unnamed:       9,
		Withheld:      map[string]map[string]uint64{"lapse": {"raised": 2}},
		Types:         []line.TypeCount{{Type: "Page Viewed", Events: 9, Over: 1}},
		Shadows: []processor.ShadowSummary{
			{
				Name:    "next",
				Error:   "it stopped",
				Summary: processor.Summary{Transitions: map[string]uint64{}, Types: []line.TypeCount{}},
			},
		},
	}
}
