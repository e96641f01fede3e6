package format

import (
	"encoding/hex"
	"net/url"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/scoring/alert"
)

// Renderer makes records to publish of outbox entries. What it makes depends on the entry, the input record and these
// settings alone, so that a repeat has the same bytes. Any goroutine may use it.
type Renderer struct {
	Alerts    string // topic
	DLQ       string // topic; empty: quarantined records are not published
	Control   string // topic
	Packs     string // topic
	Decisions string // topic; empty: what is no alert at once is not published
	Holdout   string // topic of the alerts about the held-out arm
	Audience  string // topic of customers' arms
	Group     string // whose control records these are
	Input     string // topic
	InputID   string // its id
	Partition int32  // of the input
	Source    string // ce_source of alerts; see Source
}

// Source is the CloudEvents source of a group's alerts, a URI reference.
func Source(group, input string) string {
	return "/ebb/" + url.PathEscape(group) + "/" + url.PathEscape(input)
}

// Render is pipeline.Render.
func (r *Renderer) Render(
	scratch []byte,
	e *pipeline.Entry,
	record *pipeline.Record,
) (out pipeline.Outgoing, grown []byte) {
	switch e.Kind {
	case pipeline.EntryQuarantine:
		if record == nil {
			panic("BUG: quarantined entry without its record")
		}
		return r.quarantined(e, record), scratch
	case pipeline.EntryPack:
		return r.pack(e), scratch
	case pipeline.EntryControl:
		return r.control(e), scratch
	case pipeline.EntryDecision:
		return r.decision(e), scratch
	case pipeline.EntryAudience:
		return r.audience(e), scratch
	default:
		return r.alert(scratch, e)
	}
}

// alert makes a CloudEvent in binary mode: attributes in headers, the alert's JSON as value. It is keyed by customer
// and carries the transition's event time.
func (r *Renderer) alert(b []byte, e *pipeline.Entry) (out pipeline.Outgoing, grown []byte) {
	customer, id := e.Alert.Customer, e.ID()
	if e.Kind == pipeline.EntryErased {
		b = alert.AppendErased(b, &e.Alert, id)
	} else {
		b = e.By.AppendAlert(b, &e.Alert, id)
	}
	value := len(b)
	var text [2 * len(id)]byte
	hex.Encode(text[:], id[:])
	var at, kind [64]byte
	b = kafkabatch.AppendHeaderCount(b, 8)
	b = kafkabatch.AppendHeader(b, "ce_specversion", "1.0")
	b = kafkabatch.AppendHeader(b, "ce_id", text[:])
	b = kafkabatch.AppendHeader(b, "ce_source", r.Source)
	b = kafkabatch.AppendHeader(b, "ce_type", eventType(kind[:0], e))
	b = kafkabatch.AppendHeader(b, "ce_subject", customer)
	b = kafkabatch.AppendHeader(b, "ce_time", alert.AppendTime(at[:0], e.Alert.At))
	b = kafkabatch.AppendHeader(b, "ce_partitionkey", customer)
	b = kafkabatch.AppendHeader(b, "content-type", "application/json")
	topic := r.Alerts
	if e.Alert.Assigned.Arm == alert.HeldOut {
		topic = r.Holdout
	}
	return pipeline.Outgoing{
		Topic: topic, Partition: -1, Key: customer, Value: b[:value:value], Timestamp: e.Alert.At, Headers: b[value:],
	}, b
}

// eventType appends the CloudEvents type of an alert: ebb.alert.KIND.TRANSITION.v1, or ebb.alert.customer.erased.v1.
func eventType(dst []byte, e *pipeline.Entry) []byte {
	if e.Kind == pipeline.EntryErased {
		return append(append(append(dst, "ebb.alert.customer."...), alert.Erased...), ".v1"...)
	}
	d := &e.Alert.Decision
	dst = append(append(dst, "ebb.alert."...), d.Kind.String()...)
	dst = append(append(append(dst, '.'), d.Transition.String()...), ".v1"...)
	return dst
}
