package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
)

// packsShadowFlags is the command line of packs shadow.
type packsShadowFlags struct {
	packFlags
	days   uint
	top    uint
	json   bool
	forget string
	yes    bool
}

func newPacksShadowCommand(a *app) *cobra.Command {
	var f packsShadowFlags
	cmd := &cobra.Command{
		Use:   "shadow [NAME]",
		Short: "Compare shadows with the pack that alerts",
		Long: `Say of each shadow, or of the one named, what would be different if its pack were the one that alerts: where it stands in the
input, the customers by the tier that either pack has them in, at the same instant, the alerts a day of both, and the customers
whose score is another one by most, with what it comes from. "ebb run" runs the shadows; this reads what they and the main
processor hold and have published, and changes nothing.

Figures are comparable where both stand at the same record, or nearly so. Memory: some 40 bytes for each customer of the largest
partition, and for each alert in the span.

With --forget, the state of a shadow in Redis and its group's offsets are removed: of one that is no longer configured, or to
begin it anew. What it has published stays. It refuses while a process runs it.`,
		Example: "  ebb packs shadow -c ebb.yaml\n" +
			"  ebb packs shadow candidate --days 7 --top 20\n" +
			"  ebb packs shadow --json | jq '.shadows[].alerts.customers'\n" +
			"  ebb packs shadow --forget candidate",
		Args: arguments(0, 1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.forget != "" {
				if len(args) > 0 {
					return advice.Usage(fmt.Errorf("--forget takes the name itself, found %q behind it", args[0]))
				}
				return a.forgetShadow(cmd, &f)
			}
			return a.shadows(cmd, &f, args)
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.UintVar(&f.days, "days", 30, "count the alerts of the last `N` days of event time")
	flags.UintVar(&f.top, "top", 10, "show the `N` customers whose score differs most")
	flags.BoolVar(&f.json, "json", false, "print one object")
	flags.StringVar(&f.forget, "forget", "", "remove the state of the shadow of this `NAME`")
	flags.BoolVar(&f.yes, "yes", false, "with --forget: do not ask")
	return cmd
}

// mostShadowDays bounds --days: all that there is.
const mostShadowDays = 36_500

// shadowsReport is what is said of all shadows.
type shadowsReport struct {
	Group        string         `json:"group"` // the main one
	Shadows      []shadowReport `json:"shadows"`
	Unconfigured []string       `json:"unconfigured"` // names of shadows that are configured no more, and of which something is kept
}

// shadowReport is what is said of one.
type shadowReport struct {
	Name       string           `json:"name"`
	Group      string           `json:"group"`
	Packs      packsOfBoth      `json:"packs"`
	Begun      bool             `json:"begun"` // it has state to compare
	Apart      int64            `json:"apart"` // records that one has folded and the other has not
	Partitions []standingOfBoth `json:"partitions"`
	At         time.Time        `json:"at"` // the main one's watermark, the latest of all partitions
	Customers  customersOfBoth  `json:"customers"`
	Migration  migrationJSON    `json:"migration"`
	Alerts     *alertsCompared  `json:"alerts,omitempty"`
	Top        []scoreChange    `json:"top"`

	moved *shadowedStates
}

// standingOfBoth is where both stand in a partition.
type standingOfBoth struct {
	Partition int   `json:"partition"`
	End       int64 `json:"end"` // of the log
	Main      int64 `json:"main"`
	Shadow    int64 `json:"shadow"`
	MainLag   int64 `json:"main_lag"`
	ShadowLag int64 `json:"shadow_lag"`
}

// packsOfBoth are the newest packs at work in any partition.
type packsOfBoth struct {
	Main   pipeline.PackRef `json:"main,omitzero"` // absent: none was announced yet
	Shadow pipeline.PackRef `json:"shadow,omitzero"`
}

// customersOfBoth counts customers by who knows them.
type customersOfBoth struct {
	Both   int64 `json:"both"`
	Main   int64 `json:"main_only"`
	Shadow int64 `json:"shadow_only"`
}

// shadowing reads what a report is made from.
type shadowing struct {
	connect.Clients
	cfg   *config.Config
	flags *packsShadowFlags
	input kafkawire.Topic
	steps *terminal.Steps
}

func (a *app) shadows(cmd *cobra.Command, f *packsShadowFlags, names []string) error {
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	s := &shadowing{cfg: cfg, flags: f, steps: terminal.NewSteps(terminal.NewScreen(cmd.ErrOrStderr(), a.environ), "reading")}
	defer s.Close()
	report, err := s.report(cmd.Context(), names)
	if err != nil {
		return err
	}
	out := terminal.NewScreen(cmd.OutOrStdout(), a.environ)
	if f.json {
		return json.NewEncoder(out).Encode(report)
	}
	return shadowsText{out}.print(report)
}

// report compares the shadows of these names; none: all that are configured.
func (s *shadowing) report(ctx context.Context, names []string) (*shadowsReport, error) {
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	held, err := s.held(ctx)
	if err != nil {
		return nil, err
	}
	known := s.cfg.ShadowNames()
	r := &shadowsReport{Group: s.cfg.Kafka.Group, Shadows: []shadowReport{}, Unconfigured: []string{}}
	for _, name := range held {
		if !slices.Contains(known, name) {
			r.Unconfigured = append(r.Unconfigured, name)
		}
	}
	if len(names) > 0 && !slices.Contains(known, names[0]) && !slices.Contains(held, names[0]) {
		return nil, advice.Usage(fmt.Errorf("there is no shadow %q%s", names[0], advice.DidYouMean(names[0], append(known, held...))))
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

func (s *shadowing) open(ctx context.Context) (err error) {
	if s.Redis, err = connect.Redis(ctx, s.cfg); err != nil {
		return connect.NoRedis(err, s.cfg)
	}
	k := &s.cfg.Kafka
	if s.Kafka, err = connect.Kafka(s.cfg, k.Input, k.Alerts, k.Shadow); err != nil {
		return err
	}
	s.input, err = connect.FindTopic(ctx, s.Kafka, s.cfg, k.Input, kafkawire.Read)
	return err
}

// held are the names of the shadows of which anything is kept: state in Redis, or an offset in Kafka.
func (s *shadowing) held(ctx context.Context) (names []string, err error) {
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

// hasOffsets reports whether a group has committed in any partition of the input: brokers know one that has not for a while.
func hasOffsets(ctx context.Context, client *kafkawire.Client, group string, input *kafkawire.Topic) (bool, error) {
	for n := range input.Partitions {
		if committed, err := client.Committed(ctx, group, input.Name, n); err != nil || committed.Exists {
			return committed.Exists, err
		}
	}
	return false, nil
}

// compare compares one shadow with the main group.
func (s *shadowing) compare(ctx context.Context, name string) (*shadowReport, error) {
	own := s.cfg.Shadow(name)
	r := &shadowReport{Name: name, Group: own.Kafka.Group, Partitions: []standingOfBoth{}, Top: []scoreChange{}}
	states := &shadowedStates{redis: s.Redis, most: int(min(s.flags.top, math.MaxInt32)), first: math.MaxInt64, steps: s.steps}
	for i, cfg := range []*config.Config{s.cfg, own} {
		states.sides[i].group = cfg.Kafka.Group
		if k, err := connect.LoadPack(cfg); err == nil { // else each partition has its own
			states.sides[i].configured = k
		}
	}
	until, packs := int64(math.MaxInt64), map[string]bool{}
	for n := range int(s.input.Partitions) {
		held, err := s.standing(ctx, r, n, states)
		if err != nil {
			return nil, err
		}
		if held[sideMain].Meta.Next != held[sideShadow].Meta.Next { // up to the lesser watermark both have decided all
			until = min(until, held[sideMain].Meta.Clock.Watermark, held[sideShadow].Meta.Clock.Watermark)
		}
		for _, ref := range held[sideShadow].Meta.Packs {
			packs[ref.Hash] = true
		}
	}
	r.moved = states
	r.Customers, r.Top = customersOfBoth{states.both, states.only[sideMain], states.only[sideShadow]}, append(r.Top, states.top...)
	states.migration.At = r.At
	r.Migration = newMigration(&states.migration)
	if !r.Begun {
		return r, nil
	}
	err := s.alerts(ctx, r, own, until, packs)
	return r, err
}

// standing notes where both stand in a partition, and compares the customers there.
func (s *shadowing) standing(ctx context.Context, r *shadowReport, n int, states *shadowedStates) (held [2]redisstore.Inspection, err error) {
	for i := range held {
		if held[i], err = s.Redis.Inspect(ctx, states.sides[i].group, n, nil); err != nil {
			return held, err
		}
		newest := []*pipeline.PackRef{&r.Packs.Main, &r.Packs.Shadow}[i]
		if p := held[i].Meta.Packs; len(p) > 0 && (newest.Hash == "" || pipeline.CompareVersions(p[len(p)-1].Version, newest.Version) > 0) {
			*newest = p[len(p)-1]
		}
	}
	_, end, err := s.Kafka.Bounds(ctx, s.cfg.Kafka.Input, int32(n))
	if err != nil {
		return held, err
	}
	at := standingOfBoth{Partition: n, End: end, Main: held[sideMain].Meta.Next, Shadow: held[sideShadow].Meta.Next}
	at.MainLag, at.ShadowLag = max(0, end-at.Main), max(0, end-at.Shadow)
	r.Partitions = append(r.Partitions, at)
	r.Apart += max(at.Main-at.Shadow, at.Shadow-at.Main)
	r.Begun = r.Begun || held[sideMain].Exists && held[sideShadow].Exists
	if mark := time.UnixMilli(held[sideMain].Meta.Clock.Watermark).UTC(); mark.After(r.At) {
		r.At = mark
	}
	customers, err := s.Redis.Customers(ctx, states.sides[sideMain].group, n)
	if err != nil {
		return held, err
	}
	s.steps.What = fmt.Sprintf("comparing %s, partition %d of %d", r.Name, n+1, s.input.Partitions)
	s.steps.Begin(customers)
	defer s.steps.End()
	return held, states.partition(ctx, n, held)
}

// alerts counts what both have published up to the time until which both have decided all.
func (s *shadowing) alerts(ctx context.Context, r *shadowReport, own *config.Config, until int64, packs map[string]bool) error {
	shown := min(until, r.At.UnixMilli())
	c := &shadowedAlerts{
		cfg: s.cfg, client: s.Kafka, from: shown - (time.Duration(min(s.flags.days, mostShadowDays)) * advice.Day).Milliseconds(), until: until, steps: s.steps,
		counts: map[alertSort][2]int64{}, customers: map[uint64]uint8{}, ids: map[uint64]struct{}{},
	}
	defer s.steps.End()
	for i, cfg := range []*config.Config{s.cfg, own} {
		src := sourceOf(cfg)
		if i == sideShadow && len(packs) > 0 {
			src.packs = packs
		}
		s.steps.What = "counting alerts in " + src.topic
		if err := c.read(ctx, i, &src); err != nil {
			return err
		}
	}
	r.Alerts = c.result(r.moved.first, shown)
	return nil
}
