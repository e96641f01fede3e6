package backtest

import (
	"strings"
	"testing"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/scoring/pack"
)

func TestChooseDates(t *testing.T) {
	first := time.Date(2020, 1, 1, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		days int // of the log
		want string
	}{
		{180, "2020-03-31"},
		{400, "2020-11-06"},
		{720, "2020-12-26,2021-05-10,2021-09-22"},
		{3650, "2020-12-26,2025-05-14,2029-09-30"},
	}
	for _, test := range tests {
		pack, err := pack.Load("retail", nil, pack.Overrides{})
		if err != nil {
			t.Fatal(err)
		}
		b := Run{Options: Options{Pack: pack, Active: 180 * advice.Day}}
		dates, err := b.chooseDates(first, first.AddDate(0, 0, test.days))
		var got []string
		for _, d := range dates {
			got = append(got, advice.FormatDate(d))
		}
		if err != nil || strings.Join(got, ",") != test.want {
			t.Errorf("%d days: %v, %v, want %s", test.days, got, err, test.want)
		}
	}
}
