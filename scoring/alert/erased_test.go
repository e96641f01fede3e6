package alert_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/scoringtest"
)

// TestErased: the record of an erasure, to the byte.
func TestErased(t *testing.T) {
	a := alert.Alert{
		Tenant:   []byte("acme"),
		Customer: []byte("c-1"),
		Decision: scoring.Decision{At: 1_772_357_400_000},
		Cause: alert.Cause{
			EventID:   []byte("x-1"),
			EventType: []byte("erase"),
			Partition: 3,
			Offset:    17,
			Time:      1_772_357_400_000,
		},
	}
	const want = `{"id":"84864f1747c6f97d4f1312821137eca0","tenant":"acme","customer":"c-1","transition":"erased",` +
		`"time":"2026-03-01T09:30:00Z","cause":{"event_type":"erase","id":"x-1","partition":3,"offset":17}}`
	if got := string(alert.AppendErased(nil, &a, a.ErasedID())); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	again, other := a, a
	again.Cause.Offset, other.At = 99, a.At+1
	if a.ErasedID() != again.ErasedID() || a.ErasedID() == other.ErasedID() || a.ErasedID() == a.ID() {
		t.Error("the id is not one of the customer and the time alone")
	}
}

// TestErasedSchema: the schema describes every record of an erasure; each explains itself,
// and one that was changed does not.
func TestErasedSchema(t *testing.T) {
	described := scoringtest.Must(jsonschema.NewCompiler().Compile("../../docs/erased.schema.json"))
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOfN(rapid.Rune(), 1, 20, 64)
		a := alert.Alert{
			Tenant: []byte(rapid.StringN(0, 10, 64).Draw(t, "tenant")), Customer: []byte(name.Draw(t, "customer")),
			Cause: alert.Cause{
				EventID: []byte(rapid.StringN(0, 10, 64).Draw(t, "id")), EventType: []byte(name.Draw(t, "type")), Partition: 2,
				Offset: rapid.Int64Range(0, 1<<60).Draw(t, "offset"), Time: rapid.Int64Range(1e11, 4e12).Draw(t, "time"),
			},
		}
		a.At = rapid.Int64Range(1e11, 4e12).Draw(t, "until")
		b := alert.AppendErased(nil, &a, a.ErasedID())
		var v map[string]any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if err := described.Validate(v); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if x, err := alert.ExplainErased(b); err != nil || len(x.Differences) > 0 {
			t.Fatalf("%s: %v, %+v", b, err, x)
		}
		v["tenant"] = "another's"
		changed, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if x, err := alert.ExplainErased(changed); err != nil || string(a.Tenant) != "another's" && len(x.Differences) == 0 {
			t.Fatalf("%s: %v, %+v", changed, err, x)
		}
	})
}

func TestErasedIsNone(t *testing.T) {
	for _, text := range []string{
		"", "[]", `{"customer":"c"}`, `{"customer":"","time":"2026-03-01T09:30:00Z","cause":{}}`,
		`{"customer":7,"time":"2026-03-01T09:30:00Z","cause":{}}`, `{"customer":"c","time":"soon","cause":{}}`,
	} {
		if x, err := alert.ExplainErased([]byte(text)); !errors.Is(err, alert.ErrNoAlert) {
			t.Errorf("%s: %v, %+v", text, err, x)
		}
	}
}

// TestErasedIsNoAlert: an explanation by a pack does not take it for one.
func TestErasedIsNoAlert(t *testing.T) {
	pack, _ := alerts(t)
	a := alert.Alert{Customer: []byte("c-1"), Cause: alert.Cause{EventType: []byte("erase")}}
	_, err := alert.NewRenderer(pack).Explain(alert.AppendErased(nil, &a, a.ErasedID()))
	if err == nil || !strings.Contains(err.Error(), "pack") {
		t.Errorf("%v", err)
	}
}
