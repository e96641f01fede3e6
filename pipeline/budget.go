package pipeline

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"ebb/scoring/encode"
)

// A budget bounds how many raises of a lane go out in a day of event time, over all partitions of a group (ADR 40). A lane
// is the owner's role of a play, or its intent. What is over the budget waits, the most important first.

// Budget is that of a lane.
type Budget struct {
	Lane  string
	Daily []int // on the first day on which any is granted, on the second, and so on; the last holds from then on
}

// Budgets are in order of lanes.
type Budgets []Budget

// Bounds of budgets.
const (
	mostDaily = 1_000_000 // raises in a day
	mostSteps = 366
	mostLanes = 64
	mostLane  = 64 // bytes of a name

	idleDays  = 30 // after so many days without any the budget begins anew
	dayHours  = 24
	mostScore = 1000 // the greatest priority
)

// ReadBudgets reads the text of Settings.Budgets: {"crm":[50,100,250]}. Errors say what is wrong with it.
func ReadBudgets(text string) (Budgets, error) {
	if text == "" {
		return nil, nil
	}
	var daily map[string][]int
	if err := json.Unmarshal([]byte(text), &daily); err != nil {
		return nil, fmt.Errorf("budgets %.60q: %w", text, err)
	}
	all := make(Budgets, 0, len(daily))
	for _, lane := range slices.Sorted(maps.Keys(daily)) {
		all = append(all, Budget{lane, daily[lane]})
	}
	if again := all.Text(); again != text {
		return nil, fmt.Errorf("budgets %.60q: expected them as %.60q", text, again)
	}
	return all, all.check()
}

func (all Budgets) check() error {
	if len(all) > mostLanes {
		return fmt.Errorf("%d budgets, at most %d", len(all), mostLanes)
	}
	for i := range all {
		b := &all[i]
		switch {
		case b.Lane == "" || len(b.Lane) > mostLane || strings.ContainsAny(b.Lane, "\x00\n"):
			return fmt.Errorf("the lane %.80q has no name of 1 to %d bytes", b.Lane, mostLane)
		case len(b.Daily) == 0 || len(b.Daily) > mostSteps:
			return fmt.Errorf("the budget of %s has %d numbers, must have 1 to %d", b.Lane, len(b.Daily), mostSteps)
		}
		for _, n := range b.Daily {
			if n < 0 || n > mostDaily {
				return fmt.Errorf("the budget of %s has %d a day, must be 0 to %d", b.Lane, n, mostDaily)
			}
		}
	}
	return nil
}

// Text is the inverse of ReadBudgets. Equal budgets have equal texts.
func (all Budgets) Text() string {
	if len(all) == 0 {
		return ""
	}
	daily := make(map[string][]int, len(all))
	for _, b := range all {
		daily[b.Lane] = b.Daily
	}
	return string(encoded(daily))
}

// Of is the budget of a lane; nil: it has none.
func (all Budgets) Of(lane string) *Budget {
	for i := range all {
		if all[i].Lane == lane {
			return &all[i]
		}
	}
	return nil
}

// On is how many may go out on a day, after so many days on which some did.
func (b *Budget) On(step uint32) int { return b.Daily[min(int(step), len(b.Daily)-1)] }

// by is how many of a day's n may have gone out in its hours up to one: so that what comes in the evening has its chance
// against what comes at night. Parts are rounded up, so that a small budget does not wait for an hour that may be missed.
func by(n int, hour int64) int { return int((int64(n)*(hour+1) + dayHours - 1) / dayHours) }

// Lane is what a partition keeps of one: what it has spent, and, of the first partition, what all may.
type Lane struct {
	Name  string
	Day   int64  // of event time, since the epoch: the latest on which it released any
	Spent uint32 // on that day
	Grant Grant  // of partition 0: the latest
}

// Grant is how many raises of a lane each partition may release on a day of event time. Partition 0 grants, at most once in
// an hour, by a control record. On one day no part of it ever becomes smaller, so whoever knows an older one knows of less.
type Grant struct {
	Day   int64    `json:"day"`   // since the epoch
	Hour  int64    `json:"hour"`  // in which it was given, since the epoch
	Step  uint32   `json:"step"`  // days on which some were granted before, since the budget began anew
	Given []uint32 `json:"given"` // by partition, all of the day so far
}

// LaneReport is what a partition has of a lane, for a grant.
type LaneReport struct {
	Day     int64       `json:"day"` // see Lane
	Spent   uint32      `json:"spent"`
	Waiting map[int]int `json:"waiting,omitempty"` // raises that may be released, by priority
}

// SpentOn is how many a partition has released on a day.
func (l *Lane) SpentOn(day int64) uint32 {
	if l.Day != day {
		return 0
	}
	return l.Spent
}

// Spend notes that n were released on a day.
func (l *Lane) Spend(day int64, n uint32) { l.Day, l.Spent = day, l.SpentOn(day)+n }

// Left is how many more a partition may release on a day by a grant.
func (l *Lane) Left(g *Grant, partition int, day int64) int {
	if g.Day != day || partition >= len(g.Given) {
		return 0
	}
	return max(0, int(g.Given[partition])-int(l.SpentOn(day)))
}

// Next is the grant of an hour by what the partitions report: for as many more raises as the budget has left up to this
// hour, the most important ones of all partitions. False: there is nothing more to grant.
func (g *Grant) Next(b *Budget, hour int64, reports []LaneReport) (next Grant, more bool) {
	next = g.on(FloorDiv(hour, dayHours), len(reports))
	next.Hour = hour
	n := by(b.On(next.Step), hour-next.Day*dayHours)
	for _, given := range next.Given {
		n -= int(given)
	}
	unspent := make([]int, len(reports)) // what a partition may release without another grant
	for i := range reports {
		unspent[i] = int(next.Given[i])
		if reports[i].Day == next.Day {
			unspent[i] -= min(unspent[i], int(reports[i].Spent))
		}
	}
	for priority := mostScore; priority >= 0 && n > 0; priority-- {
		for i := range reports {
			waiting := reports[i].Waiting[priority]
			free := min(unspent[i], waiting)
			unspent[i] -= free
			granted := max(0, min(n, waiting-free))
			next.Given[i] += uint32(granted)
			n -= granted
			more = more || granted > 0
		}
	}
	return next, more
}

// LeftOn is how many raises of a day's budget are not granted yet.
func (g *Grant) LeftOn(b *Budget, day int64) int {
	today := g.on(day, len(g.Given))
	n := b.On(today.Step)
	for _, given := range today.Given {
		n -= int(given)
	}
	return max(0, n)
}

// on is the grant with which a day begins, or goes on.
func (g *Grant) on(day int64, partitions int) Grant {
	next := Grant{Day: day, Given: make([]uint32, partitions)}
	switch {
	case len(g.Given) == 0: // the first ever
	case g.Day == day:
		copy(next.Given, g.Given)
		next.Step = g.Step
	case day-g.Day <= idleDays:
		next.Step = encode.Increment(g.Step)
	}
	return next
}

// Lanes are in order of their names.
type Lanes []Lane

// Of is the entry of a lane, valid until the next call; it is added where there is none.
func (all *Lanes) Of(name string) *Lane {
	i, found := slices.BinarySearchFunc(*all, name, func(l Lane, name string) int { return strings.Compare(l.Name, name) })
	if !found {
		*all = slices.Insert(*all, i, Lane{Name: name})
	}
	return &(*all)[i]
}

// Apply notes what a release spends at most, and what it grants.
func (all *Lanes) Apply(r *Release) {
	switch {
	case r.Of() != HeldBudget:
	case r.Grant != nil:
		all.Of(r.Lane).Grant = *r.Grant
	case r.Count > 0:
		all.Of(r.Lane).Spend(r.Day, uint32(r.Count))
	}
}

// Clone is a copy that later releases do not change. A grant is never changed, but replaced.
func (all *Lanes) Clone() Lanes { return slices.Clone(*all) }

// appendLanes is their section of a meta: for each its name, and its numbers.
func appendLanes(dst []byte, m *Meta) []byte {
	for i := range m.Lanes {
		l := &m.Lanes[i]
		dst = encode.AppendParts(dst, l.Name)
		dst = binary.AppendUvarint(binary.AppendVarint(dst, l.Day), uint64(l.Spent))
		dst = binary.AppendVarint(binary.AppendVarint(dst, l.Grant.Day), l.Grant.Hour)
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(l.Grant.Step)), uint64(len(l.Grant.Given)))
		for _, n := range l.Grant.Given {
			dst = binary.AppendUvarint(dst, uint64(n))
		}
	}
	return dst
}

func readLanes(r *encode.Reader, m *Meta) {
	for r.More() {
		l := Lane{Name: r.Text(), Day: r.Varint(), Spent: uint32(r.UvarintUpTo(math.MaxUint32))}
		l.Grant.Day, l.Grant.Hour = r.Varint(), r.Varint()
		l.Grant.Step = uint32(r.UvarintUpTo(math.MaxUint32))
		for n := r.UvarintUpTo(math.MaxUint32); n > 0 && !r.Damaged(); n-- {
			l.Grant.Given = append(l.Grant.Given, uint32(r.UvarintUpTo(math.MaxUint32)))
		}
		if n := len(m.Lanes); n > 0 && m.Lanes[n-1].Name >= l.Name {
			r.Damage()
			return
		}
		m.Lanes = append(m.Lanes, l)
	}
}

// BudgetReport is what a partition tells the others of its group, so that they share budgets by the value of what waits. It
// decides nothing but who gets how much: a report that is wrong, old or lost leads to no raise above a budget.
type BudgetReport struct {
	Hour  int64                 `json:"hour"` // of event time, since the epoch, that it has reached
	Lanes map[string]LaneReport `json:"lanes"`
}

// errReport is the error of a report of another program, or of another build.
var errReport = errors.New("it is none of ebb's")

// Encode is what is shared of r.
func (r *BudgetReport) Encode() []byte { return encoded(r) }

// ReadBudgetReport is the inverse of Encode. Errors: it is damaged.
func ReadBudgetReport(b []byte) (r BudgetReport, err error) {
	if err := json.Unmarshal(b, &r); err != nil {
		return BudgetReport{}, fmt.Errorf("a report of budgets: %w", errors.Join(errReport, err))
	}
	for name := range r.Lanes {
		for _, n := range r.Lanes[name].Waiting {
			if n < 0 {
				return BudgetReport{}, fmt.Errorf("a report of budgets: %w", errReport)
			}
		}
	}
	return r, nil
}

// Grants are the latest of each lane, as partition 0 shares them once they are published: then nothing undoes them.
type Grants map[string]Grant

// Granted are the grants of all.
func (all *Lanes) Granted() Grants {
	grants := Grants{}
	for i := range *all {
		if l := &(*all)[i]; len(l.Grant.Given) > 0 {
			grants[l.Name] = l.Grant
		}
	}
	return grants
}

// Encode is what is shared of g.
func (g Grants) Encode() []byte { return encoded(g) }

// ReadGrants is the inverse of Encode. Errors: it is damaged.
func ReadGrants(b []byte) (g Grants, err error) {
	if err := json.Unmarshal(b, &g); err != nil {
		return nil, fmt.Errorf("grants of budgets: %w", errors.Join(errReport, err))
	}
	return g, nil
}
