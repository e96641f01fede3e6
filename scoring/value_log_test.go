//go:build reference

package scoring_test

import (
	"hash/fnv"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// sale is a row of a shop's log, with its amount in hundredths.
type sale struct {
	customer, kind string
	ms, amount     int64
	currency       string // empty: none
}

// readSales reads a shop's log. Mixed gives a part of the amounts a second currency, and a part none.
func readSales(t *testing.T, path string, mixed bool) []sale {
	t.Helper()
	var sales []sale
	for i, r := range table(t, path) {
		whole, fraction, _ := strings.Cut(r[3], ".")
		hundredths := scoringtest.Must(strconv.ParseInt(whole+(fraction + "00")[:2], 10, 64))
		s := sale{r[0], r[2], int64(parseNumber(t, r[1])) * 1000, hundredths, "GBP"}
		if mixed {
			h := fnv.New32a()
			h.Write([]byte(r[0] + strconv.Itoa(i)))
			s.currency = []string{"GBP", "GBP", "GBP", "", "EUR"}[h.Sum32()%5]
		}
		sales = append(sales, s)
	}
	return sales
}

// monday is the begin of the calendar week, UTC.
func monday(at time.Time) time.Time {
	at = at.UTC()
	return time.Date(at.Year(), at.Month(), at.Day()-(int(at.Weekday())+6)%7, 0, 0, 0, 0, time.UTC)
}

// spentBy is what a customer's sales before an alert come to, in the currency of the first that names one, over the 53
// calendar weeks that end with the alert's.
func spentBy(sales []sale, at int64) (amount, orders, other int64, currency string, bought bool) {
	begin := monday(time.UnixMilli(at)).AddDate(0, 0, -52*7).UnixMilli()
	for _, s := range sales {
		if s.kind != "purchase" {
			continue
		}
		if currency == "" {
			currency = s.currency
		}
		switch bought = true; {
		case s.currency != "" && s.currency != currency:
			other++
		case s.ms >= begin:
			amount, orders = amount+s.amount, orders+1
		}
	}
	return amount, orders, other, currency, bought
}

// TestValueOfALog: every alert about a buyer of a shop's log has the value that a plain sum over its rows has, and one
// about anybody else has none.
func TestValueOfALog(t *testing.T) {
	k := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	for name, mixed := range map[string]bool{"in pounds": false, "in two currencies and none": true} {
		t.Run(name, func(t *testing.T) {
			sales := readSales(t, filepath.Join(shared(t), "data", "online_retail.csv.gz"), mixed)
			of := map[string][]sale{}
			for _, s := range sales {
				of[s.customer] = append(of[s.customer], s)
			}
			var alerts, known, unknown, others int
			var money, atRisk int64
			for customer, own := range of {
				for _, d := range soldTo(k, own, sales[len(sales)-1].ms) {
					alerts++
					w, ok := d.Worth(k)
					amount, orders, other, currency, bought := spentBy(own[:d.folded], d.At)
					switch {
					case ok != bought:
						t.Fatalf("%s at %d: known %v, bought %v", customer, d.At, ok, bought)
					case !ok:
						unknown++
						continue
					}
					known++
					if w.Amount != amount || w.Orders != orders || int64(w.Other) != other ||
						strings.Trim(string(w.Currency[:]), "\x00") != currency {
						t.Fatalf("%s at %d: %+v, want %d %s in %d orders, %d others", customer, d.At, w, amount, currency, orders, other)
					}
					others += min(int(other), 1)
					money, atRisk = money+amount, atRisk+w.AtRisk
				}
			}
			if known == 0 || others > 0 != mixed {
				t.Errorf("%d known, %d with a second currency", known, others)
			}
			t.Logf("%d alerts: value known in %d, unknown in %d, a second currency in %d; %d.%02d in all, %d.%02d at risk",
				alerts, known, unknown, others, money/100, money%100, atRisk/100, atRisk%100)
		})
	}
}

// decidedAfter is a decision, and after how many of the customer's sales it came.
type decidedAfter struct {
	scoring.Decision

	folded int
}

// soldTo are the decisions on a customer with these sales up to the end of the log.
func soldTo(k *pack.Pack, sales []sale, end int64) (all []decidedAfter) {
	s, pop := scoring.NewScorer(k), profile.Population{}
	c := &profile.Customer{Profile: &profile.Profile{}}
	folded := 0
	note := func(decisions []scoring.Decision) {
		for _, d := range decisions {
			d.Score.Values = append(d.Score.Values[:0:0], d.Score.Values...)
			all = append(all, decidedAfter{d, folded})
		}
	}
	wake := func(until int64) {
		for c.Armed != 0 && c.Armed <= until/60_000 {
			note(s.Wake(c))
		}
	}
	for _, e := range sales {
		wake(e.ms)
		o := scoring.Observation{Time: e.ms, Signal: k.Signal([]byte(e.kind)), Value: e.amount, HasValue: true}
		copy(o.Currency[:], e.currency)
		folded++
		note(s.Observe(c, &pop, &o))
	}
	wake(end)
	return all
}
