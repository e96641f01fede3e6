package oracle

import (
	"math"
	"slices"
	"time"
)

// Settings of a fold.
type Settings struct {
	Horizon  float64            // days
	Activity map[string]bool    // event types; nil: every type that is no friction
	Friction map[string]float64 // weight by event type; such a type is no activity, unless Activity names it
	Converts map[string]bool    // event types that are the value action; nil: none is
	Money    map[string]bool    // event types that the pack takes money from
	Lateness time.Duration
	// Retention is how long a customer has to be silent to be removed, unless a transition is still to come; 0: for ever.
	Retention time.Duration
}

// Alert is one transition of a customer's lapse.
type Alert struct {
	Partition        int
	Tenant, Customer string
	Transition       string // raised, escalated, recovered, corrected, converted
	Tier             string // of the customer, by its score
	Episode          int    // number of the customer's episode, from 1
	Sequence         int    // of the transition in its episode, from 1
	Seconds          int64  // event time since the epoch, rounded down
	LogOdds          float64
}

// Quarantined is a record that cannot be used.
type Quarantined struct {
	Partition int
	Offset    int64
	Code      string
}

// Counts of the records by outcome. Each record is in exactly one of Events, Duplicates and Quarantined.
type Counts struct {
	Records, Events, Duplicates, Quarantined int
	Late                                     int // of Events: older than the watermark was
	Future                                   int // of Events: so far ahead that they did not move the watermark
}

// Result of a fold.
type Result struct {
	Alerts      []Alert // by partition, and for each customer in order
	Quarantined []Quarantined
	Counts      Counts
	Partitions  []Partitioned // by partition: the state after the fold
}

// Record is one record of the input.
type Record struct {
	Offset int64
	Value  []byte
}

// Times are in ms since the epoch.
const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// rememberedIDs is how many of a customer's latest events are searched for a repeated id.
const rememberedIDs = 16

// Fold reads each partition from its first record to its last, and then looks at every customer up to the partition's
// last watermark.
func Fold(partitions [][]Record, s Settings) Result {
	var r Result
	for i, records := range partitions {
		f := newFold(i, s, &r)
		for _, rec := range records {
			f.record(rec)
		}
		for _, m := range f.members {
			f.sweep(m, f.watermark)
		}
		r.Partitions = append(r.Partitions, f.left())
	}
	return r
}

// fold is the state of one partition.
type fold struct {
	Settings
	partition int
	result    *Result
	pop       population
	members   []*member // in order of appearance
	byKey     map[string]*member
	clock
}

// member is a customer and the course of its lapse.
type member struct {
	customer
	tenant, name string
	ids          []string // of its latest events, oldest first
	from         int64    // of its newest event that counted: everything before has been looked at
	tier         string   // of the open episode; empty without one
	since        int64    // when the episode was raised or escalated
	opened       int64    // when the newest episode was raised
	raised       int64    // when the newest episode was raised, which may still convert; 0: none
	episodes     int      // so far
	sequence     int      // of the latest episode's last transition
}

func newFold(partition int, s Settings, r *Result) *fold {
	return &fold{
		Settings: s, partition: partition, result: r,
		pop: population{tau: 4 * s.Horizon}, byKey: map[string]*member{},
		clock: clock{lateness: s.Lateness.Milliseconds(), claims: map[string]claim{}},
	}
}

func (f *fold) record(rec Record) {
	f.result.Counts.Records++
	e, code := decode(rec.Value, f.Money)
	if code != "" {
		f.result.Counts.Quarantined++
		f.result.Quarantined = append(f.result.Quarantined, Quarantined{f.partition, rec.Offset, code})
		return
	}
	key := e.tenant + "\x00" + e.customer
	m := f.byKey[key]
	if m == nil {
		m = &member{tenant: e.tenant, name: e.customer}
		f.byKey[key] = m
		f.members = append(f.members, m)
	}
	f.sweep(m, f.watermark)
	if e.id != "" && slices.Contains(m.ids, e.id) {
		f.result.Counts.Duplicates++
		return
	}
	f.result.Counts.Events++
	f.event(key, m, e)
}

func (f *fold) event(key string, m *member, e event) {
	late, future := f.observe(key, e.time)
	if late {
		f.result.Counts.Late++
	}
	if future {
		f.result.Counts.Future++
	}
	// For its own customer the arriving event counts even where it does not move the watermark alone.
	reached := max(f.watermark, e.time-f.Lateness.Milliseconds())
	f.sweep(m, reached)

	weight, friction := f.Friction[e.kind]
	activity := f.Activity[e.kind] || f.Activity == nil && !friction
	if !activity && weight == 0 && !f.Converts[e.kind] {
		if m.at != 0 {
			m.remember(e.id)
		}
		return // without an event that counts, a customer has no state
	}
	m.remember(e.id)
	t := days(e.time)
	back := activity && t > m.last && m.tier != "" // activity that only arrives late ends no silence
	if m.at == 0 {
		m.at = t // the first event with an effect
	}
	m.decay(t, f.Horizon)
	m.friction += weight
	if activity {
		m.visit(t, f.Horizon, &f.pop)
	}
	if back {
		m.tier = ""
		f.end(m, e.time)
	}
	f.convert(m, e)
	m.from = max(m.from, e.time)
	f.sweep(m, reached) // a late event may have made something due before the watermark
}

// end says that a lapse has ended by activity at t: where that is older than the raise, and with it there would have
// been none, the raise was wrong.
func (f *fold) end(m *member, t int64) {
	raised := max(m.opened, int64(math.Round(m.at*float64(day))))
	threshold, _ := f.aim(m)
	first := (overdue(&m.customer) + minute - 1) / minute * minute
	if t < m.opened && (raised < first || m.score(days(raised), f.Horizon) < threshold) {
		m.raised = 0
		f.alert(m, "corrected", raised)
		return
	}
	f.alert(m, "recovered", t)
}

// convert says that the newest episode converts with the value action within a horizon after its raise, once, whether
// it is open or has ended, perhaps by this very event; and no more after an event from beyond the horizon.
func (f *fold) convert(m *member, e event) {
	end := m.raised + int64(f.Horizon*float64(day))
	switch {
	case m.raised == 0 || e.time <= m.raised:
	case e.time > end:
		m.raised = 0
	case f.Converts[e.kind]:
		m.raised = 0
		f.alert(m, "converted", e.time)
	}
}

func (m *member) remember(id string) {
	if id == "" {
		return
	}
	m.ids = append(m.ids, id)
	if len(m.ids) > rememberedIDs {
		m.ids = m.ids[1:]
	}
}

func (f *fold) alert(m *member, transition string, t int64) {
	if m.sequence++; transition == "raised" {
		m.episodes++
		m.sequence, m.raised, m.opened = 1, t, t
	}
	if transition != "converted" {
		m.since = t
	}
	f.result.Alerts = append(f.result.Alerts, Alert{
		Partition: f.partition, Tenant: m.tenant, Customer: m.name, Transition: transition,
		Tier:    tierOf(m.score(days(t), f.Horizon)),
		Episode: m.episodes, Sequence: m.sequence, Seconds: t / second, LogOdds: m.score(days(t), f.Horizon),
	})
}

func days(ms int64) float64 { return float64(ms) / float64(day) }
