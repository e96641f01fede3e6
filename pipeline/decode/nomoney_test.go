package decode_test

import (
	"testing"

	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring/pack"
)

// retail is the shipped pack, which takes money from orders alone.
func retail(t testing.TB) *pack.Pack {
	t.Helper()
	k, err := pack.Load("retail", nil, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestNoMoney: what bears the name of money and is none costs no event that the pack takes no money from.
func TestNoMoney(t *testing.T) {
	k := retail(t)
	money := func(kind string) bool { return k.TakesMoney([]byte(kind)) }
	if !money("Order Completed") || money("Filter Applied") || money("Order Refunded") || money("") {
		t.Fatal("retail takes money from other types")
	}
	spec := shopSpec()
	for _, value := range []string{
		`"red"`, `{"from":"720p","to":"1080p"}`, `"25 results"`, `true`, `false`, `[1]`, `"$19.99"`, `"1,234.50"`, `"12,90"`,
		`"12.90 EUR"`, `" 12.90"`, `"+5"`, `"NaN"`, `"1e"`, `1e300`, `"` + "\\ud83d" + `"`, longText(300),
	} {
		for name, c := range map[string]struct{ other, order string }{
			"flat":    {flatJSON("type", `"x"`, "value", value, "currency", `"EUR"`), flatJSON("value", value)},
			"segment": {trackJSON("event", `"x"`, "properties", `{"revenue":`+value+`}`), trackJSON("properties", `{"total":`+value+`}`)},
			"page":    {trackJSON("type", `"page"`, "properties", `{"total":`+value+`}`), trackJSON("properties", `{"value":`+value+`}`)},
			"control": {trackJSON("type", `"identify"`, "properties", `{"value":`+value+`}`), ""},
			"cloud":   {cloudJSON("data", `{"value":`+value+`}`), cloudJSON("type", `"Order Completed"`, "data", `{"value":`+value+`}`)},
			"mapping": {shopJSON("amount", value), shopJSON("event", `{"name":"Order Completed"}`, "amount", value)},
		} {
			m, err := decode.NewMapping(spec)
			if err != nil {
				t.Fatal(err)
			}
			d := decode.NewMapped(testRecordBytes, m).Reading(k)
			e := decodeBothReading(t, d, &pipeline.Record{Value: []byte(c.other)}, spec, money)
			if e.Code != pipeline.Usable || e.HasValue || e.Value != 0 || e.Currency != "" || !e.NoMoney {
				t.Errorf("%s: %s became %+v", name, c.other, e)
			}
			if c.order == "" {
				continue
			}
			e = decodeBothReading(t, d, &pipeline.Record{Value: []byte(c.order)}, spec, money)
			if e.Code != pipeline.ValueUnreadable {
				t.Errorf("%s: %s became %+v", name, c.order, e)
			}
		}
	}
	d := decode.New(testRecordBytes).Reading(k)
	for _, currency := range []string{`"Euro"`, `978`, `{}`, `"€"`} {
		r := pipeline.Record{Value: []byte(flatJSON("type", `"x"`, "value", "5", "currency", currency))}
		if e := decodeBothReading(t, d, &r, nil, money); e.Code != pipeline.Usable || e.HasValue || !e.NoMoney {
			t.Errorf("%s became %+v", r.Value, e)
		}
		r.Value = []byte(flatJSON("value", "5", "currency", currency))
		if e := decodeBothReading(t, d, &r, nil, money); e.Code != pipeline.CurrencyUnreadable {
			t.Errorf("%s became %+v", r.Value, e)
		}
	}
}

// TestNoMoneyAgrees draws events of all envelopes, read for a pack.
func TestNoMoneyAgrees(t *testing.T) {
	k := retail(t)
	money := func(kind string) bool { return k.TakesMoney([]byte(kind)) }
	d := decode.New(testRecordBytes).Reading(k)
	rapid.Check(t, func(rt *rapid.T) {
		value, currency := drawValues().Draw(rt, "value"), drawValues().Draw(rt, "currency")
		kind := rapid.SampledFrom([]string{`"Order Completed"`, `"x"`, "null"}).Draw(rt, "type")
		both := `{"value":` + value + `,"currency":` + currency + `}`
		text := rapid.SampledFrom([]string{
			flatJSON("type", kind, "value", value, "currency", currency),
			trackJSON("event", kind, "properties", both),
			trackJSON("type", `"identify"`, "properties", both),
			cloudJSON("type", kind, "data", both),
		}).Draw(rt, "record")
		d.Reset()
		decodeBothReading(t, d, &pipeline.Record{Value: []byte(text)}, nil, money)
	})
}

// TestNoMoneyAllocations: none where the pack is asked.
func TestNoMoneyAllocations(t *testing.T) {
	d, e := decode.New(testRecordBytes).Reading(retail(t)), pipeline.Event{}
	r := pipeline.Record{Value: []byte(trackJSON("event", `"x"`, "properties", `{"value":"red"}`))}
	if allocs := testing.AllocsPerRun(100, func() {
		d.Reset()
		d.Decode(&r, &e)
	}); allocs != 0 || !e.NoMoney {
		t.Errorf("%v allocations, want none", allocs)
	}
}
