package line

import (
	"cmp"
	"slices"

	"ebb/pipeline"
	"ebb/scoring"
)

// Raises of a lane with a budget are held (withholdBudget) and released as far as partition 0 has granted it. Both, grants
// and releases, are control records, so a replay repeats them, and never releases more. How the partitions agree is the
// owner's matter: docs/adr/0040.

// expireLimit is how many held raises that are out of date a release ends.
const expireLimit = 1_000

// LaneHeld is what waits for the budget of a lane.
type LaneHeld struct {
	Name     string
	Budgeted bool // it has a budget; else it had one, and all that waits may go
	Held     int
	Waiting  int // of these, raises that may be released now
	Expired  int // of these, raises that are out of date
}

// beginBudgets has what follows decided by the budgets of the settings in force.
func (l *Line) beginBudgets() {
	budgets, err := pipeline.ReadBudgets(l.settings.Budgets)
	if err != nil {
		panic("BUG: a takeover has refused such settings: " + err.Error())
	}
	l.budgets = budgets
}

// Budgets are those in force.
func (l *Line) Budgets() pipeline.Budgets { return l.budgets }

// Lanes are what waits for budgets, in order of names.
func (l *Line) Lanes() (all []LaneHeld) {
	minute := l.meta.Clock.Minute()
	for name, lane := range l.held.lanes {
		if name.reason == pipeline.HeldBudget && lane.count > 0 {
			all = append(all, LaneHeld{
				Name: name.budget, Budgeted: l.budgets.Of(name.budget) != nil, Held: lane.count,
				Waiting: l.held.waiting(lane, minute), Expired: lane.expired(minute),
			})
		}
	}
	slices.SortFunc(all, func(a, b LaneHeld) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Lane is what the partition keeps of a lane.
func (l *Line) Lane(name string) pipeline.Lane {
	for i := range l.meta.Lanes {
		if l.meta.Lanes[i].Name == name {
			return l.meta.Lanes[i]
		}
	}
	return pipeline.Lane{Name: name}
}

// BudgetReport is what the partition has, for partition 0 to grant by. It has reached the hour up to which deadlines have
// fired.
func (l *Line) BudgetReport() pipeline.BudgetReport {
	minute := l.meta.Clock.Minute()
	r := pipeline.BudgetReport{
		Hour:  pipeline.FloorDiv(l.meta.Clock.Fired.Minute, hour),
		Lanes: map[string]pipeline.LaneReport{},
	}
	for i := range l.meta.Lanes {
		lane := &l.meta.Lanes[i]
		r.Lanes[lane.Name] = pipeline.LaneReport{Day: lane.Day, Spent: lane.Spent}
	}
	for _, raise := range l.held.all {
		if raise.Reason != pipeline.HeldBudget || !l.held.due(reviewOf(&raise), minute) {
			continue
		}
		of := r.Lanes[raise.Lane]
		if of.Waiting == nil {
			of.Waiting = map[int]int{}
		}
		of.Waiting[raise.Priority]++
		r.Lanes[raise.Lane] = of
	}
	return r
}

// Today is the day of event time that the partition has reached, since the epoch.
func (l *Line) Today() int64 { return pipeline.FloorDiv(l.meta.Clock.Watermark, pipeline.DayMillis) }

// Grant asks for a grant of a lane to all partitions. It applies as a release does.
func (l *Line) Grant(lane string, g *pipeline.Grant, at int64) {
	l.Release(pipeline.HeldBudget, 0, at)
	r := &l.wanted.Release
	r.Lane, r.Grant = lane, g
}

// ReleaseLane asks for a release of n raises of a lane, and for an end of those that are out of date.
func (l *Line) ReleaseLane(lane string, n int, at int64) {
	l.Release(pipeline.HeldBudget, n, at)
	r := &l.wanted.Release
	r.Lane, r.Day = lane, l.Today()
}

// beginBudget notes what a release of a lane grants, or which raises are out of date by it.
func (l *Line) beginBudget(r *pipeline.Release) {
	if r.Grant != nil {
		l.meta.Lanes.Of(r.Lane).Grant = *r.Grant
		return
	}
	if l.held.lane(pipeline.HeldBudget, r.Lane).expired(r.Until) == 0 {
		return // all that is held need not be looked at
	}
	var keys []string
	for key, raise := range l.held.all {
		if raise.Reason == pipeline.HeldBudget && raise.Lane == r.Lane && reviewOf(&raise).expired(r.Until) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	l.expiring = append(l.expiring, keys[:min(len(keys), expireLimit)]...)
}

// expire withholds those for good that have waited until they were out of date.
func (l *Line) expire() {
	for _, key := range l.expiring {
		l.place = place{release: l.meta.First.Releases}
		customer, kind := pipeline.SplitHeldKey(key)
		held, is := l.held.all[key]
		if !is {
			continue
		}
		l.record([]byte(customer), held.Ruling(pipeline.Withheld, kind, l.meta.Clock.Minute()*pipeline.MinuteMillis))
		l.staged.Tally.withholdDecision(InBudget, kind, scoring.Raised)
		l.held.drop(key)
	}
	l.expiring = l.expiring[:0]
}

// spend notes that a raise that has waited for its budget is released.
func (l *Line) spend(on *decided) {
	if on.Was.Reason == pipeline.HeldBudget && on.Alert.Transition == scoring.Raised && on.lane() == on.Was.Lane {
		l.meta.Lanes.Of(on.Was.Lane).Spend(l.Today(), 1)
	}
}

// beginning reports whether a release has begun that the batch has to carry out.
func (l *Line) beginning() bool { return len(l.releasing) > 0 || len(l.expiring) > 0 }

// grantsBy reports whether a new hour begins by a minute that is still to come, in which raises may be granted or released:
// partition 0 grants whatever the others wait for.
func (l *Line) grantsBy(minute int64) bool {
	if len(l.budgets) == 0 || pipeline.FloorDiv(minute, hour) == pipeline.FloorDiv(l.meta.Clock.Minute(), hour) {
		return false
	}
	return l.partition == 0 || l.held.counts()[pipeline.HeldBudget] > 0
}
