package worker

import (
	"context"
	"strconv"
	"time"

	"ebb/pipeline"
)

// Partitions share budgets by a hash in Redis, beside the state of any of them (Config.Share): each writes there what it
// has, and partition 0 what it grants. That hash decides nothing by itself. A grant is a control record of partition 0,
// and is shared once it is published, so nothing undoes it; a release is one of the partition that releases, and its meta
// counts what it has spent. So no loss, delay, copy or rollback of the hash leads above a budget (docs/adr/0040).

// grantPatience is how long partition 0 waits, in an hour of event time, for partitions that have not reached it.
const grantPatience = 30 * time.Second

// Fields of what is shared.
const (
	sharedGrants = "grants"
	sharedReport = "report-" // and a partition
)

// sharing is what an owner knows of what is shared.
type sharing struct {
	errand[map[string][]byte]

	grants  pipeline.Grants
	reports map[int]pipeline.BudgetReport // of partition 0: the latest of all
	granted int64                         // of partition 0: the latest hour whose grants are given
	since   time.Time                     // of partition 0: since when there may be others to give; zero: there are none
}

// share begins to exchange what is shared, if it is time.
func (o *owner) share(now time.Time) {
	if o.cfg.Share == nil || !o.sharing.due(now) ||
		len(o.line.Budgets()) == 0 && o.line.Size().Held[pipeline.HeldBudget] == 0 {
		return
	}
	put, want := map[string][]byte{}, sharedGrants
	report := o.line.BudgetReport()
	report.Hour = max(report.Hour, o.idleHour(now))
	put[sharedReport+strconv.Itoa(o.cfg.Line.Identity.Partition)] = report.Encode()
	if o.cfg.Line.Identity.Partition == 0 {
		want = ""
		if m := o.p.Stored(); o.p.Published().Releases >= m.First.Releases {
			put[sharedGrants] = m.Lanes.Granted().Encode()
		}
	}
	o.sharing.begin(o.ctx, now, func(ctx context.Context) map[string][]byte {
		found, err := o.cfg.Share(ctx, put, want)
		if err != nil {
			o.cfg.Logger.Debug().Err(err).Msg("share budgets")
			return nil
		}
		return found
	})
}

// idleHour is the hour that an idle partition has reached by the clock, or one without events: the others need not wait for
// it.
func (o *owner) idleHour(now time.Time) int64 {
	if _, started := o.line.Watermark(); started && !o.silent(now) {
		return 0
	}
	wall, ahead := o.cfg.Wall.read()
	settings := o.line.Settings()
	return pipeline.FloorDiv(wall.Add(-ahead).UnixMilli()-settings.LatenessMillis, pipeline.HourMillis)
}

// shared takes in what others share.
func (o *owner) shared(found map[string][]byte) {
	s := &o.sharing
	if s.underway = false; found == nil {
		return
	}
	if b := found[sharedGrants]; b != nil {
		grants, err := pipeline.ReadGrants(b)
		if err != nil {
			o.cfg.Logger.Warn().Err(err).Msg("what is granted cannot be read")
			return
		}
		s.grants = grants
	}
	reports := map[int]pipeline.BudgetReport{}
	for n := range o.cfg.Line.Identity.Partitions {
		b := found[sharedReport+strconv.Itoa(n)]
		if b == nil {
			continue
		}
		report, err := pipeline.ReadBudgetReport(b)
		if err != nil {
			o.cfg.Logger.Warn().Err(err).Int("of", n).Msg("what a partition reports cannot be read")
			continue
		}
		reports[n] = report
	}
	s.reports = reports
}

// askBudget asks the line for the next grant, or for the next release of what is granted.
func (o *owner) askBudget(now time.Time, at int64) {
	if o.grant(now, at) {
		return
	}
	for _, lane := range o.line.Lanes() {
		n := min(lane.Waiting, mostReleased)
		if lane.Budgeted {
			grant, kept := o.sharing.grants[lane.Name], o.line.Lane(lane.Name)
			n = min(n, kept.Left(&grant, o.cfg.Line.Identity.Partition, o.line.Today()))
		}
		if n > 0 || lane.Expired > 0 {
			o.line.ReleaseLane(lane.Name, n, at)
			return
		}
	}
}

// grant asks the line of partition 0 for the next grant of its hour. False: there is none, or not all partitions have
// reached the hour, and they may.
func (o *owner) grant(now time.Time, at int64) bool {
	s := &o.sharing
	watermark, _ := o.line.Watermark()
	hour := pipeline.FloorDiv(watermark, pipeline.HourMillis)
	if o.cfg.Line.Identity.Partition != 0 || s.reports == nil || hour <= s.granted || len(o.line.Budgets()) == 0 {
		return false
	}
	if s.since.IsZero() {
		s.since = now
	}
	if !o.reached(hour) && now.Sub(s.since) < grantPatience {
		return false
	}
	budgets := o.line.Budgets()
	for i := range budgets {
		b := &budgets[i]
		kept := o.line.Lane(b.Lane)
		if kept.Grant.Hour >= hour && len(kept.Grant.Given) > 0 {
			continue
		}
		if next, more := kept.Grant.Next(b, hour, o.reportsOf(b.Lane)); more {
			o.line.Grant(b.Lane, &next, at)
			return true
		}
	}
	s.granted, s.since = hour, time.Time{}
	return false
}

// reached reports whether all partitions have reached an hour of event time.
func (o *owner) reached(hour int64) bool {
	for n := range o.cfg.Line.Identity.Partitions {
		if r, ok := o.sharing.reports[n]; !ok || r.Hour < hour {
			return false
		}
	}
	return true
}

// reportsOf are what the partitions report of a lane.
func (o *owner) reportsOf(lane string) []pipeline.LaneReport {
	all := make([]pipeline.LaneReport, o.cfg.Line.Identity.Partitions)
	for n := range all {
		all[n] = o.sharing.reports[n].Lanes[lane]
	}
	return all
}
