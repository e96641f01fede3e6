package shadow

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
	"ebb/scoring/pack"
	"ebb/sinks/format"
)

// mostDays bounds --days.
const mostDays = 36_500

// Report is the comparison of all shadows.
type Report struct {
	Group   string       `json:"group"` // the main group
	Shadows []Comparison `json:"shadows"`
	// names of shadows that are no longer configured, but have state or offsets
	Unconfigured []string `json:"unconfigured"`
}

// Comparison is the comparison of one shadow.
type Comparison struct {
	Name       string         `json:"name"`
	Group      string         `json:"group"`
	Packs      Packs          `json:"packs"`
	Begun      bool           `json:"begun"` // it has state to compare
	Apart      int64          `json:"apart"` // records that only one of the two has folded
	Partitions []Standing     `json:"partitions"`
	At         time.Time      `json:"at"` // the main group's watermark, the latest of all partitions
	Customers  Customers      `json:"customers"`
	Migration  backtest.Cells `json:"migration"`
	Alerts     *Alerts        `json:"alerts,omitempty"`
	Top        []ScoreChange  `json:"top"`

	Moved backtest.Migration `json:"-"` // with all its cells
	Most  int                `json:"-"` // limit of Top

	first int64 // activity of any customer, ms; MaxInt64: none
}

// Standing is how far both are in a partition.
type Standing struct {
	Partition int   `json:"partition"`
	End       int64 `json:"end"` // of the log
	Main      int64 `json:"main"`
	Shadow    int64 `json:"shadow"`
	MainLag   int64 `json:"main_lag"`
	ShadowLag int64 `json:"shadow_lag"`
}

// Packs are the newest packs at work in any partition.
type Packs struct {
	Main   pipeline.PackRef `json:"main,omitzero"` // absent: none was announced yet
	Shadow pipeline.PackRef `json:"shadow,omitzero"`
}

// Customers counts customers by which side has state of them.
type Customers struct {
	Both   int64 `json:"both"`
	Main   int64 `json:"main_only"`
	Shadow int64 `json:"shadow_only"`
}

// Options are what is compared.
type Options struct {
	Config *config.Config
	Names  []string // of shadows; none: all configured ones
	Days   uint     // of event time in which alerts are counted
	Top    uint     // number of customers whose scores differ most

	// Progress gets the name of the work under way, and how much of it is done. Optional.
	Progress func(what string, done, total int64)
}

// comparing reads what a report is made of.
type comparing struct {
	connect.Clients
	opts  Options
	cfg   *config.Config
	input kafkawire.Topic
}

// Compare shows for each shadow what would be different if its pack sent the alerts.
func Compare(ctx context.Context, opts Options) (*Report, error) {
	if opts.Progress == nil {
		opts.Progress = func(string, int64, int64) {}
	}
	s := &comparing{opts: opts, cfg: opts.Config}
	defer s.Close()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	return s.report(ctx, opts.Names)
}

// report compares the shadows of these names; none: all configured ones.
func (s *comparing) report(ctx context.Context, names []string) (*Report, error) {
	held, err := s.held(ctx)
	if err != nil {
		return nil, err
	}
	known := s.cfg.ShadowNames()
	r := &Report{Group: s.cfg.Kafka.Group, Shadows: []Comparison{}, Unconfigured: []string{}}
	for _, name := range held {
		if !slices.Contains(known, name) {
			r.Unconfigured = append(r.Unconfigured, name)
		}
	}
	if len(names) > 0 && !slices.Contains(known, names[0]) && !slices.Contains(held, names[0]) {
		return nil, advice.Usage(
			fmt.Errorf("there is no shadow %q%s", names[0], advice.DidYouMean(names[0], append(known, held...))),
		)
	}
	if len(names) == 0 {
		names = known
	}
	for _, name := range names {
		one, err := s.compare(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("shadow %s: %w", name, err)
		}
		r.Shadows = append(r.Shadows, *one)
	}
	return r, nil
}

func (s *comparing) open(ctx context.Context) (err error) {
	if s.Redis, err = connect.Redis(ctx, s.cfg); err != nil {
		return connect.NoRedis(err, s.cfg)
	}
	k := &s.cfg.Kafka
	if s.Kafka, err = connect.Kafka(s.cfg, k.Input, k.Alerts, k.Holdout, k.Shadow); err != nil {
		return err
	}
	s.input, err = connect.FindTopic(ctx, s.Kafka, s.cfg, k.Input, kafkawire.Read)
	return err
}

// held are the names of the shadows that have state in Redis, or an offset in Kafka.
func (s *comparing) held(ctx context.Context) (names []string, err error) {
	prefix := s.cfg.Kafka.ShadowGroup("")
	groups, err := s.Redis.Groups(ctx, prefix)
	if err != nil {
		return nil, err
	}
	known, err := s.Kafka.Groups(ctx)
	if err != nil {
		return nil, err
	}
	for _, group := range slices.Concat(groups, known) {
		name, ours := strings.CutPrefix(group, prefix)
		if !ours || !config.LegalShadow(name) || slices.Contains(names, name) {
			continue
		}
		kept := slices.Contains(groups, group)
		if !kept {
			if kept, err = hasOffsets(ctx, s.Kafka, group, &s.input); err != nil {
				return nil, err
			}
		}
		if kept {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// hasOffsets reports whether a group has committed in any partition of the input. Brokers still list a group for a
// while after its offsets are gone.
func hasOffsets(ctx context.Context, client *kafkawire.Client, group string, input *kafkawire.Topic) (bool, error) {
	for n := range input.Partitions {
		if committed, err := client.Committed(ctx, group, input.Name, n); err != nil || committed.Exists {
			return committed.Exists, err
		}
	}
	return false, nil
}

// compare compares one shadow with the main group.
func (s *comparing) compare(ctx context.Context, name string) (*Comparison, error) {
	own := s.cfg.Shadow(name)
	r := &Comparison{Name: name, Group: own.Kafka.Group, Partitions: []Standing{}, Top: []ScoreChange{}}
	states := &states{redis: s.Redis, most: int(min(s.opts.Top, math.MaxInt32)), first: math.MaxInt64}
	for i, cfg := range []*config.Config{s.cfg, own} {
		states.sides[i].group = cfg.Kafka.Group
		if k, err := connect.LoadPack(cfg); err == nil { // otherwise each partition uses its own
			states.sides[i].configured = k
		}
	}
	until, packs := int64(math.MaxInt64), map[string]bool{}
	for n := range int(s.input.Partitions) {
		held, err := s.standing(ctx, r, n, states)
		if err != nil {
			return nil, err
		}
		if held[MainSide].Meta.Next != held[ShadowSide].Meta.Next { // both have decided everything up to the lesser watermark
			until = min(until, held[MainSide].Meta.Clock.Watermark, held[ShadowSide].Meta.Clock.Watermark)
		}
		for _, ref := range held[ShadowSide].Meta.Packs {
			packs[pack.Short(ref.Hash)] = true
		}
	}
	r.Most = states.most
	r.Customers, r.Top = Customers{
		states.both,
		states.only[MainSide],
		states.only[ShadowSide],
	}, append(
		r.Top,
		states.top...)
	states.migration.At = r.At
	r.Moved, r.Migration = states.migration, backtest.CellsOf(&states.migration)
	r.first = states.first
	if !r.Begun {
		return r, nil
	}
	err := s.alerts(ctx, r, own, until, packs)
	return r, err
}

// standing notes how far both are in a partition, and compares the customers there.
func (s *comparing) standing(
	ctx context.Context,
	r *Comparison,
	n int,
	states *states,
) (held [2]redisstore.Inspection, err error) {
	for i := range held {
		if held[i], err = s.Redis.Inspect(ctx, states.sides[i].group, n, nil); err != nil {
			return held, err
		}
		newest := []*pipeline.PackRef{&r.Packs.Main, &r.Packs.Shadow}[i]
		p := held[i].Meta.Packs
		if len(p) > 0 && (newest.Hash == "" || pipeline.CompareVersions(p[len(p)-1].Version, newest.Version) > 0) {
			*newest = p[len(p)-1]
		}
	}
	_, end, err := s.Kafka.Bounds(ctx, s.cfg.Kafka.Input, int32(n))
	if err != nil {
		return held, err
	}
	at := Standing{Partition: n, End: end, Main: held[MainSide].Meta.Next, Shadow: held[ShadowSide].Meta.Next}
	at.MainLag, at.ShadowLag = max(0, end-at.Main), max(0, end-at.Shadow)
	r.Partitions = append(r.Partitions, at)
	r.Apart += max(at.Main-at.Shadow, at.Shadow-at.Main)
	r.Begun = r.Begun || held[MainSide].Exists && held[ShadowSide].Exists
	if mark := time.UnixMilli(held[MainSide].Meta.Clock.Watermark).UTC(); mark.After(r.At) {
		r.At = mark
	}
	customers, err := s.Redis.Customers(ctx, states.sides[MainSide].group, n)
	if err != nil {
		return held, err
	}
	what := fmt.Sprintf("comparing %s, partition %d of %d", r.Name, n+1, s.input.Partitions)
	s.opts.Progress(what, 0, customers)
	states.done = func(done int64) { s.opts.Progress(what, min(done, customers), customers) }
	return held, states.partition(ctx, n, held)
}

// alerts counts what both have published up to the time until which both have decided everything.
func (s *comparing) alerts(
	ctx context.Context,
	r *Comparison,
	own *config.Config,
	until int64,
	packs map[string]bool,
) error {
	shown := min(until, r.At.UnixMilli())
	c := &alerts{
		cfg:       s.cfg,
		client:    s.Kafka,
		from:      shown - (time.Duration(min(s.opts.Days, mostDays)) * advice.Day).Milliseconds(),
		until:     until,
		counts:    map[alertSort][2]int64{},
		customers: map[uint64]uint8{},
		ids:       map[uint64]struct{}{},
	}
	for i, cfg := range []*config.Config{s.cfg, own} {
		src := source{source: format.Source(cfg.Kafka.Group, cfg.Kafka.Input)}
		if i == ShadowSide && len(packs) > 0 {
			src.packs = packs
		}
		c.done = func(done, total int64) { s.opts.Progress("counting alerts in "+cfg.Kafka.Alerts, done, total) }
		topics, err := connect.AlertTopics(ctx, s.Kafka, cfg, kafkawire.Read)
		if err != nil {
			return err
		}
		if src.topics = topics; i == ShadowSide {
			src.topics = topics[:1]
		}
		if err := c.read(ctx, i, &src); err != nil {
			return err
		}
	}
	r.Alerts = c.result(r.first, shown)
	return nil
}
