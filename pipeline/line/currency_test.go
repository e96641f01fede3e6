package line

import (
	"fmt"
	"testing"

	"ebb/pipeline"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// TestSecondCurrency counts events with money in another currency than their customer's, once each, and keeps the
// customer's.
func TestSecondCurrency(t *testing.T) {
	k, err := pack.Load("retail", nil, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	var records []pipeline.Record
	for i, currency := range []string{"", "EUR", "GBP", "EUR", "JPY", ""} {
		r := visit("", "c", "Order Completed", float64(i))
		r.Value = fmt.Appendf(
			nil,
			`{"customer":"c","type":"Order Completed","time":%d,"value":"12","currency":%q,"id":"o%d"}`,
			r.Timestamp,
			currency,
			i,
		)
		records = append(records, r, r)
	}
	s := newShelf(t, k, 0, 0)
	s.put(t, records)
	s.settle(t)
	want := profile.Money{Currency: profile.Currency{'E', 'U', 'R'}, Other: 2}
	if got := s.left(t)[key("c")].Money; got != want || s.tally.OtherCurrency != 2 || s.tally.Duplicates != 6 {
		t.Errorf("%+v, tally %+v", got, s.tally)
	}
}
