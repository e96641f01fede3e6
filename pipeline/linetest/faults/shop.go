package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"ebb/pipeline/linetest/oracle"
)

// event is one event of the shop.
type event struct {
	customer string
	seconds  int64 // since the epoch
	value    []byte
}

// How events are scored: every type counts, nobody is forgotten, and no event is late.
func settings() oracle.Settings { return oracle.Settings{Horizon: 60} }

// size is how large a shop is.
type size struct {
	customers, days int
	stay            float64 // days for which a customer comes, on average
}

// shop makes a seeded log in time order: customers that visit by a rhythm of their own for a while.
func shop(s size) []event {
	r := rand.New(rand.NewPCG(15, 1))
	begin := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	end := begin + int64(s.days)*86_400
	var log []event
	for c := range s.customers {
		rhythm := 1 + 2.5*r.Float64() // ln of the usual gap in days
		t := begin + r.Int64N(int64(s.days)*86_400/2)
		leaves := t + int64(r.ExpFloat64()*s.stay*86_400)
		for t < min(end, leaves) {
			log = append(log, event{customer: fmt.Sprintf("c%05d", c), seconds: t})
			t += int64(86_400 * math.Exp(rhythm+0.6*r.NormFloat64()))
		}
	}
	slices.SortStableFunc(log, func(a, b event) int { return int(a.seconds - b.seconds) })
	for i := range log {
		e := &log[i]
		e.value = fmt.Appendf(nil, `{"id":"shop:%d","customer":%q,"type":"visit","time":%q}`,
			i, e.customer, time.Unix(e.seconds, 0).UTC().Format(time.RFC3339))
	}
	return log
}

// fold is what the alerts have to be where so many partitions hold the events.
func fold(log []event, partitions int) []oracle.Alert {
	parts := make([][]oracle.Record, partitions)
	for _, e := range log {
		p := oracle.Partition([]byte(e.customer), partitions)
		parts[p] = append(parts[p], oracle.Record{Offset: int64(len(parts[p])), Value: e.value})
	}
	return oracle.Fold(parts, settings()).Alerts
}
