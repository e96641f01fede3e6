package main

import (
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// publicLog is a public log and how it is measured.
type publicLog struct {
	name            string
	activity        []string
	friction        string // event type of weight 1; empty: none
	horizon, active float64
	dates           []string
}

var publicLogs = []publicLog{ //nolint:gochecknoglobals // a table
	{"cdnow", []string{"purchase"}, "", 90, 180, []string{"1997-10-01", "1998-01-01", "1998-04-01"}},
	{"online_retail", []string{"purchase"}, "", 90, 180, []string{"2011-07-15", "2011-09-01"}},
	{"bitcoin_otc", []string{"rating_given"}, "negative_received", 180, 365, []string{"2012-07-01", "2013-07-01", "2014-01-01"}},
	{"mathoverflow", []string{"answer", "comment_question", "comment_answer"}, "", 90, 180, []string{"2012-06-01", "2014-01-01", "2015-06-01"}},
	{"email_eu", []string{"sent"}, "", 30, 60, []string{"2004-05-15", "2004-11-15", "2005-01-15"}},
}

// eventLog is a log in memory: the events that are activity or friction, in order of time.
type eventLog struct {
	*publicLog
	events    []event
	customers int
	cuts      []float64   // the dates, in days since the epoch
	stayed    [][]float64 // by date and customer: when the next activity comes, in days; 0: never
}

type event struct {
	customer int
	at       float64 // days since the epoch
	value    float64
	activity bool
}

func (p *publicLog) read(folder string) (*eventLog, error) {
	f, err := os.Open(filepath.Join(folder, p.name+".csv.gz")) //nolint:gosec // the folder is the caller's to name
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", p.name, err)
	}
	l := &eventLog{publicLog: p}
	rows, ids := csv.NewReader(z), map[string]int{}
	rows.ReuseRecord = true
	for line := 0; ; line++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", p.name, err)
		}
		activity := slices.Contains(p.activity, row[2])
		if line == 0 || !activity && row[2] != p.friction {
			continue
		}
		at, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", p.name, err)
		}
		value, _ := strconv.ParseFloat(row[3], 64) // empty: none
		id, known := ids[row[0]]
		if !known {
			id = len(ids)
			ids[row[0]] = id
		}
		l.events = append(l.events, event{id, at / 86_400, value, activity})
	}
	l.customers = len(ids)
	return l, l.label()
}

// label notes, for each date, when each customer's next activity comes.
func (l *eventLog) label() error {
	for _, date := range l.dates {
		t, err := time.Parse(time.DateOnly, date)
		if err != nil {
			return fmt.Errorf("read date: %w", err)
		}
		cut, next := float64(t.Unix())/86_400, make([]float64, l.customers)
		for _, e := range l.events {
			if e.activity && e.at > cut && next[e.customer] == 0 {
				next[e.customer] = e.at
			}
		}
		l.cuts, l.stayed = append(l.cuts, cut), append(l.stayed, next)
	}
	return nil
}

// measure is the AUC of a variant at each date: of those active within a span before it, who does nothing for a
// horizon?
func (l *eventLog) measure(c parameters) (found []float64) {
	e := newEngine(c, l.horizon, l.customers)
	i := 0
	for d, cut := range l.cuts {
		for ; i < len(l.events) && l.events[i].at <= cut; i++ {
			e.fold(&l.events[i])
		}
		var scores []float64
		var churned []bool
		for id := range e.customers {
			if p := &e.customers[id]; p.visits > 0 && p.last > cut-l.active {
				scores = append(scores, e.score(p, cut))
				next := l.stayed[d][id]
				churned = append(churned, next == 0 || next > cut+l.horizon)
			}
		}
		found = append(found, auc(scores, churned))
	}
	return found
}

// auc is the chance that of two customers the one who churned has the higher score; equal scores count half.
func auc(scores []float64, churned []bool) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	ranks, n := 0.0, 0.0
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && scores[order[j]] == scores[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			if churned[k] {
				ranks += float64(i+j+1) / 2
				n++
			}
		}
		i = j
	}
	rest := float64(len(scores)) - n
	if n == 0 || rest == 0 {
		return math.NaN()
	}
	return (ranks - n*(n+1)/2) / (n * rest)
}
