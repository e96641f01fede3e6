package format_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring/alert"
	"ebb/sinks/format"
)

// TestRenderHeldOut: an alert about a customer who is held out differs from others by its topic and its arm alone.
func TestRenderHeldOut(t *testing.T) {
	for arm, topic := range map[alert.Arm]string{
		alert.NoArm: "ebb.alerts", alert.Treated: "ebb.alerts", alert.HeldOut: "ebb.alerts.holdout",
	} {
		e := raised()
		e.Alert.Assigned.Arm = arm
		got, plain := render(e, nil), render(raised(), nil)
		if got.Topic != topic || (string(got.Value) == string(plain.Value)) != (arm == alert.NoArm) {
			t.Errorf("%v: to %s: %s", arm, got.Topic, got.Value)
		}
		plain.Topic, plain.Value = got.Topic, got.Value
		if show(got) != show(plain) {
			t.Errorf("%v: %s", arm, show(got))
		}
	}
}

func TestRenderAudience(t *testing.T) {
	e := pipeline.Entry{Kind: pipeline.EntryAudience, Until: 1_780_272_000_000}
	e.Alert.Tenant, e.Alert.Customer = []byte("acme"), []byte("Zoë/1")
	e.Alert.Assigned = alert.Assignment{Arm: alert.HeldOut, Epoch: 229, Share: 100_000}
	want := fmt.Sprintf("topic ebb.audience\npartition -1\nkey \"acme/Zoë/1\"\nvalue %q\ntimestamp %d\n",
		`{"tenant":"acme","customer":"Zoë/1","arm":"holdout","epoch":229,"share":0.1,"until":"2026-06-01T00:00:00Z"}`,
		int64(1<<63-1))
	if got := show(render(&e, nil)); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	e.Alert.Assigned = alert.Assignment{}
	if gone := render(&e, nil); gone.Value != nil || string(gone.Key) != "acme/Zoë/1" {
		t.Errorf("of a customer who is gone: %q: %q", gone.Key, gone.Value)
	}
}

// TestAudienceKey: a customer without a tenant has the key that its alerts have, and no two customers share one.
func TestAudienceKey(t *testing.T) {
	for want, of := range map[string][2]string{
		"c-42": {"", "c-42"}, "shop/c-42": {"shop", "c-42"}, "/a/b": {"", "a/b"}, "a%2Fb/c": {"a/b", "c"}, "a/b/c": {"a", "b/c"},
	} {
		if got := format.AudienceKey([]byte(of[0]), []byte(of[1])); string(got) != want {
			t.Errorf("%q: %q, want %q", of, got, want)
		}
	}
	part := rapid.SampledFrom([]string{"", "a", "/", "a/", "/a", "a/b", "%2F", "%2Fa", "a%2Fb", "%"})
	rapid.Check(t, func(r *rapid.T) {
		a := [2]string{part.Draw(r, "tenant"), "c" + part.Draw(r, "customer")}
		b := [2]string{part.Draw(r, "other tenant"), "c" + part.Draw(r, "other customer")}
		x, y := format.AudienceKey([]byte(a[0]), []byte(a[1])), format.AudienceKey([]byte(b[0]), []byte(b[1]))
		if (string(x) == string(y)) != (a == b) {
			r.Fatalf("%q has %q, %q has %q", a, x, b, y)
		}
	})
}
