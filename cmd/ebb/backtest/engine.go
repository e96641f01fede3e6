package backtest

import (
	"math"
	"time"

	"github.com/cespare/xxhash/v2"

	"ebb/cmd/ebb/backtest/silences"
	"ebb/pipeline/sources"
	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Config holds what to measure.
type Config struct {
	Pack   *pack.Pack
	Active time.Duration // customers with activity within this long before a date are scored at it
	Dates  []time.Time   // ascending, each once
	End    time.Time     // of the log, for what is known of alerts; zero: they are not judged
	List   bool          // keep the alerts
	Guard  bool          // the silence of customers whose source of events has fallen silent does not count
}

// Event is one event of a log. Its slices are not kept.
type Event struct {
	Key   []byte // of the customer
	Type  []byte
	Time  int64   // ms since the epoch
	Value float64 // 0 where it has none
	ID    uint64  // hash of the producer's id; 0: none

	Source     []byte // name of its source; empty: none
	SourceHash uint64

	Minor      int64 // the value in minor units, for the pack's features
	HasValue   bool
	Properties []feature.Property // that the pack reads
}

// Counts holds how many events of a log had which outcome.
type Counts struct {
	Events     int64 `json:"events"`
	Customers  int64 `json:"customers"`  // with an event that the pack names
	Active     int64 `json:"active"`     // of those, with activity
	Ineligible int64 `json:"ineligible"` // of those, whom the pack does not alert about by the end
	Unnamed    int64 `json:"unnamed"`    // events of types that the pack does not name
	Duplicates int64 `json:"duplicates"` // events whose id was among the customer's last 16
	Late       int64 `json:"late"`       // events more than a day older than the newest before them
}

// Engine takes the events of a log, in order of time, and at the end gives the report. One goroutine uses it.
type Engine struct {
	scorer          *scoring.Scorer
	horizon, active int64 // ms
	timeline
	counts Counts

	customers   map[string]*customer
	all         [][]customer // in blocks, in order of their first event
	population  profile.Population
	guard       bool
	sources     sources.Table
	at          profile.Customer // the customer that the scorer looks at
	calibration model.Calibration
	curves      model.Curves          // of its last closed epoch
	due         map[int64][]*customer // customers whose probes an epoch closes, by the minute at which it ends

	applied   []bool // whether a term or factor ever added anything
	snapshots []*snapshot
	taken     int // of them
	labelled  int // of those
	alerts    alerts
}

// customer is all that is kept of a customer.
type customer struct {
	name     string // key
	profile  profile.Profile
	features []byte
	draw     uint64 // decides when it is probed
	probing  int64  // the minute of the next probe in Engine.due

	activeDays uint32 // days on which there was activity
	lastDay    int32  // the latest of them, days since the epoch
	value      float64

	silence silences.Customer // the present one
}

const (
	millisPerMinute = 60_000
	millisPerDay    = 86_400_000
	blockSize       = 1024 // customers
)

// New returns an engine without events.
func New(cfg Config) *Engine {
	e := &Engine{
		scorer:    scoring.NewScorer(cfg.Pack),
		horizon:   cfg.Pack.Horizon.Milliseconds(),
		active:    cfg.Active.Milliseconds(),
		customers: map[string]*customer{},
		due:       map[int64][]*customer{},
		guard:     cfg.Guard,
		applied:   make([]bool, model.NumTerms+len(cfg.Pack.Model.Factors)),
	}
	for _, at := range cfg.Dates {
		e.snapshots = append(e.snapshots, &snapshot{at: at.UnixMilli()})
	}
	e.alerts = alerts{end: cfg.End, keep: cfg.List, levels: levels(), nextList: math.MaxInt64}
	return e
}

// Observe takes the next event.
func (e *Engine) Observe(ev *Event) {
	if e.events == 0 {
		e.begin(ev.Time)
		e.scorer.Pack.Model.Advance(&e.calibration, ev.Time/millisPerMinute)
	}
	source := e.hear(ev) // before what was due by then
	if e.reach(ev.Time) {
		e.advance(ev.Time - 1)
	}
	signal := e.scorer.Pack.Signal(ev.Type, ev.Properties...)
	if !signal.Effective() {
		if !signal.Known {
			e.counts.Unnamed++
		}
		return
	}
	c := e.customer(ev.Key)
	if ev.ID != 0 {
		if c.profile.Seen(ev.ID) {
			e.counts.Duplicates++
			return
		}
		c.profile.Remember(ev.ID)
	}
	e.fold(c, ev, signal, source)
}

// fold applies the customer's silence up to the event, then the event.
func (e *Engine) fold(c *customer, ev *Event, signal pack.Signal, source uint8) {
	e.wake(c, ev.Time)
	e.reachLevels(c, ev.Time)
	e.probe(c, ev.Time-1)
	if signal.Activity {
		if c.profile.Visits > 0 && ev.Time > c.profile.Active() {
			e.endSilence(c, ev.Time)
		}
		if day := int32(ev.Time / millisPerDay); c.activeDays == 0 || day > c.lastDay {
			c.lastDay = day
			c.activeDays++
		}
		c.value += ev.Value
		if c.profile.Visits == 0 {
			e.counts.Active++
		}
	}
	e.thaw(c, ev.Time/millisPerMinute)
	if signal.Activity {
		c.profile.ReturnAt(ev.Time)
	}
	e.note(c, e.scorer.Observe(e.look(c), &e.population, &scoring.Observation{
		Time: ev.Time, Signal: signal, Value: ev.Minor, HasValue: ev.HasValue, Properties: ev.Properties,
	}))
	c.features = e.at.Features
	if signal.Activity && c.profile.Last == ev.Time {
		e.sources.Depend(&c.profile, source, ev.Time/millisPerMinute)
	}
	e.expect(c)
}

// look makes c the customer that the scorer looks at.
func (e *Engine) look(c *customer) *profile.Customer {
	e.at = profile.Customer{Profile: &c.profile, Features: c.features, Hash: c.draw}
	return &e.at
}

// wake fires what is due for a customer as of a time.
func (e *Engine) wake(c *customer, at int64) {
	for minute := at / millisPerMinute; c.profile.Armed != 0 && c.profile.Armed <= minute; {
		armed := c.profile.Armed
		e.probe(c, armed*millisPerMinute)
		if _, waits := e.sources.Waits(&c.profile, armed); !waits {
			e.note(c, e.scorer.Wake(e.look(c)))
		}
	}
}

// customer is the one of this key. It makes one if there is none.
func (e *Engine) customer(key []byte) *customer {
	if c := e.customers[string(key)]; c != nil {
		return c
	}
	last := len(e.all) - 1
	if last < 0 || len(e.all[last]) == blockSize {
		e.all = append(e.all, make([]customer, 0, blockSize))
		last++
	}
	e.all[last] = append(e.all[last], customer{name: string(key), draw: xxhash.Sum64(key)})
	c := &e.all[last][len(e.all[last])-1]
	e.customers[c.name] = c
	e.counts.Customers++
	return c
}

// each calls f for every customer who has been active.
func (e *Engine) each(f func(*customer)) {
	for _, block := range e.all {
		for i := range block {
			if block[i].profile.Visits > 0 {
				f(&block[i])
			}
		}
	}
}

// advance does what is due at dates up to until, in order. All events up to until have been folded.
func (e *Engine) advance(until int64) {
	for {
		take, label, list := int64(math.MaxInt64), int64(math.MaxInt64), e.alerts.nextList
		if e.taken < len(e.snapshots) {
			take = e.snapshots[e.taken].at
		}
		if e.labelled < e.taken {
			label = e.snapshots[e.labelled].at + e.horizon
		}
		closes := e.calibration.End * millisPerMinute
		switch next := min(take, label, list, closes); {
		case next > until:
			return
		case next == closes:
			e.learn()
		case next == label:
			e.snapshots[e.labelled].label()
			e.labelled++
		case next == take:
			e.take(e.snapshots[e.taken])
			e.taken++
		default:
			e.list(next)
		}
	}
}

// learn closes the open epoch: everything that resolves in it is final.
func (e *Engine) learn() {
	end := e.calibration.End
	for _, c := range e.due[end] {
		e.wake(c, end*millisPerMinute-1)
		e.probe(c, end*millisPerMinute-1)
	}
	e.scorer.Pack.Model.Advance(&e.calibration, end)
	e.curves = e.calibration.Curves()
	for _, c := range e.due[end] {
		e.expect(c)
	}
	delete(e.due, end)
}

// expect notes the epoch in which the customer's probes resolve without a further event.
func (e *Engine) expect(c *customer) {
	if minute := e.scorer.Pack.Model.ProbeMinute(&c.profile); minute != 0 && minute != c.probing {
		c.probing = minute
		end := max(e.scorer.Pack.Model.EpochEnd(minute), e.calibration.End)
		e.due[end] = append(e.due[end], c)
	}
}

// EndOf is the time up to which a log is complete: the end of the day of its last event, UTC.
func EndOf(last time.Time) time.Time { return last.Truncate(24 * time.Hour).Add(24 * time.Hour) }

// Finish ends the log and returns the report.
func (e *Engine) Finish() *Report {
	if e.events > 0 {
		e.advance(EndOf(instant(e.newest)).UnixMilli())
		e.each(func(c *customer) {
			e.wake(c, e.newest)
			e.reachLevels(c, e.newest)
			e.endSilence(c, silences.Open)
			if !e.scorer.Pack.Alerts(&c.profile) {
				e.counts.Ineligible++
			}
		})
	}
	e.counts.Events, e.counts.Late = e.events, e.late
	return e.report()
}
