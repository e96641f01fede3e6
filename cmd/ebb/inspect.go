package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"ebb/pipeline"
	"ebb/pipeline/redisstore"
	"ebb/scoring"
)

// inspectFlags is the command line of inspect.
type inspectFlags struct {
	packFlags
	tenant string
	json   bool
}

func newInspectCommand(a *app) *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect CUSTOMER",
		Short: "Show what is known of a customer now",
		Long: `Read a customer's state from Redis and show it: the score as of the partition's watermark with its terms, features and factors,
open episodes, and when something happens next if no event comes. Nothing is changed; a running ebb is not disturbed.`,
		Example: "  ebb inspect -c ebb.yaml c-42\n  ebb inspect c-42 --tenant acme --json | jq .risk_score",
		Args:    arguments(1, 1, "CUSTOMER"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.inspect(cmd, &f, args[0]) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "the `TENANT` that the customer belongs to")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one object")
	return cmd
}

func (a *app) inspect(cmd *cobra.Command, f *inspectFlags, customer string) error {
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	pack, err := loadPack(cfg)
	if err != nil {
		return err
	}
	redis, err := openRedis(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	defer func() { _ = redis.Close() }() // nothing was written
	key := pipeline.AppendKey(nil, []byte(f.tenant), []byte(customer))
	found := 0
	for n, partitions := 0, 1; n < partitions; n++ {
		i, err := redis.Inspect(cmd.Context(), cfg.Kafka.Group, n, key)
		if err != nil {
			return err
		}
		if n == 0 && !i.Exists {
			return advise(fmt.Errorf("group %s has no state in Redis", cfg.Kafka.Group), "see kafka.group and redis.addresses, or start ebb run first")
		}
		partitions = max(partitions, i.Meta.Partitions)
		if i.Profile == nil {
			continue
		}
		found++
		theirs, err := packOf(&i, n, pack)
		if err != nil {
			return err
		}
		v, err := newInspected(theirs, f.tenant, customer, n, &i.Meta, i.Profile)
		if err != nil {
			return err
		}
		if err := v.show(newScreen(cmd.OutOrStdout(), a.environ), f.json); err != nil {
			return err
		}
	}
	if found == 0 {
		return advise(fmt.Errorf("nothing is known of %s", fullName(f.tenant, customer)), "see --tenant and how the name is spelt; who was gone for state.retention is forgotten")
	}
	return nil
}

// packOf is the pack under which the customer was last folded.
func packOf(i *redisstore.Inspection, partition int, configured *scoring.Pack) (*scoring.Pack, error) {
	c := scoring.Customer{Profile: &scoring.Profile{}}
	if err := scoring.ReadProfile(i.Profile, &c); err != nil {
		return nil, err
	}
	return packAt(i, partition, c.Generation, configured)
}

// packAt is the pack of a generation of the partition: one of those kept beside the state or, where none was announced yet, the
// configured one; nil: that cannot be read.
func packAt(i *redisstore.Inspection, partition int, generation uint8, configured *scoring.Pack) (*scoring.Pack, error) {
	hash := i.Meta.Pack
	if n := int(generation); n < len(i.Meta.Packs) {
		hash = i.Meta.Packs[n].Hash
	}
	for _, k := range i.Packs {
		if k.Hash == hash {
			return scoring.LoadCanonical(k.Canonical)
		}
	}
	if configured == nil || hash != configured.Hash {
		return nil, advise(fmt.Errorf("partition %d was scored with another pack, %.12s…", partition, hash), "give the pack and the overrides that ebb run has")
	}
	return configured, nil
}

// inspected is what is known of a customer.
type inspected struct {
	Tenant      string             `json:"tenant"`
	Customer    string             `json:"customer"`
	Partition   int                `json:"partition"`
	Pack        pipeline.PackRef   `json:"pack"` // under which its last event was folded
	At          string             `json:"at"`   // the watermark
	Tier        string             `json:"tier"`
	Risk        float64            `json:"risk_score"`
	LogOdds     float64            `json:"log_odds"`
	Probability float64            `json:"churn_probability"`
	Probes      uint32             `json:"probability_probes"`
	Provisional bool               `json:"probability_provisional"`
	Stage       string             `json:"stage"`
	Terms       map[string]float64 `json:"terms"`
	Features    map[string]*int64  `json:"features"` // null: no data
	Factors     map[string]float64 `json:"factors"`
	Visits      uint32             `json:"visits"`
	First       string             `json:"first_activity,omitempty"`
	Last        string             `json:"last_activity,omitempty"`
	Next        string             `json:"next_deadline,omitempty"`
	Episodes    []inspectedEpisode `json:"open_episodes"`
	StateBytes  int                `json:"state_bytes"`

	order []string // of terms and factors
}

type inspectedEpisode struct {
	Kind     string `json:"kind"`
	Number   uint32 `json:"number"`
	Sequence uint32 `json:"sequence"`
	Since    string `json:"since"`
}

func newInspected(pack *scoring.Pack, tenant, customer string, partition int, m *pipeline.Meta, state []byte) (*inspected, error) {
	c := scoring.Customer{Profile: &scoring.Profile{}}
	scorer := pack.NewScorer()
	err := scoring.ReadProfile(state, &c)
	if err == nil {
		err = scorer.Fits(&c)
	}
	if err != nil {
		return nil, err
	}
	at := max(m.Clock.Watermark, c.At)
	score := scorer.Score(&c, at)
	curve := m.Learnt.Curve()
	learnt := curve.At(score.Sum())
	v := &inspected{
		Tenant: tenant, Customer: customer, Partition: partition, Pack: pipeline.RefOf(pack), At: instantText(at), Stage: score.Stage.String(), Visits: c.Visits,
		Risk: float64(score.Risk()) / 1000, LogOdds: score.Sum(), Probability: learnt.Probability(score.Sum()), Probes: learnt.Probes, Provisional: learnt.Provisional(), Tier: pack.TierOf(&score).String(),
		First: instantText(c.First), Last: instantText(c.Last), Next: instantText(c.Armed * 60_000), StateBytes: len(state),
		Terms: map[string]float64{}, Features: map[string]*int64{}, Factors: map[string]float64{}, Episodes: []inspectedEpisode{},
	}
	for i, name := range scoring.TermNames() {
		v.Terms[name] = score.Terms[i]
		v.order = append(v.order, name)
	}
	for i := range score.Values {
		if v.Features[pack.Features[i].Name] = nil; score.Values[i].OK {
			v.Features[pack.Features[i].Name] = &score.Values[i].N
		}
	}
	for _, f := range scorer.FactorsAt(&c, at) {
		v.Factors[f.Code] += f.LogOdds
	}
	if c.Episode.Tier != scoring.TierNone {
		v.Episodes = append(v.Episodes, inspectedEpisode{scoring.Lapse.String(), c.Episodes, c.Episode.Sequence, instantText(c.Episode.Since * 60_000)})
	}
	for n := scoring.Explicit; n < scoring.NumKinds; n++ {
		if h := c.HardEpisode(n); h.Open() {
			v.Episodes = append(v.Episodes, inspectedEpisode{n.String(), h.Number, h.Sequence, instantText(h.Since)})
		}
	}
	return v, nil
}

// instantText is an instant in RFC 3339; empty for none.
func instantText(ms int64) string {
	if ms == 0 {
		return ""
	}
	return stampOf(ms)
}

func (v *inspected) show(s screen, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(s).Encode(v)
	}
	fmt.Fprintf(s, "%s in partition %d as of %s\n", s.paint(text.Colors{text.Bold}, fullName(v.Tenant, v.Customer)), v.Partition, v.At)
	fmt.Fprintf(s, "scored with pack %s\n", v.Pack)
	if v.Visits == 0 {
		fmt.Fprintln(s, "no activity yet, so there is no score")
	} else {
		fmt.Fprintf(s, "risk %.3f, %s; stage %s; %s, the first %s, the latest %s\n", v.Risk, v.Tier, strings.ReplaceAll(v.Stage, "_", " "),
			plural(int(v.Visits), "visit"), v.First, v.Last)
	}
	for _, e := range v.Episodes {
		fmt.Fprintf(s, "open: %s since %s\n", strings.ReplaceAll(e.Kind, "_", " "), e.Since)
	}
	if v.Next != "" {
		fmt.Fprintf(s, "looked at next, if no event comes, as of %s\n", v.Next)
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, Align: text.AlignRight, AlignHeader: text.AlignRight}})
	t.AppendHeader(table.Row{"term or factor", "log-odds"})
	for _, name := range v.order {
		t.AppendRow(table.Row{name, fmt.Sprintf("%+.3f", v.Terms[name])})
	}
	for _, name := range slices.Sorted(maps.Keys(v.Factors)) {
		if add := v.Factors[name]; add != 0 {
			t.AppendRow(table.Row{name, fmt.Sprintf("%+.3f", add)})
		}
	}
	fmt.Fprintln(s, t.Render())
	var known []string
	for _, name := range slices.Sorted(maps.Keys(v.Features)) {
		if value := v.Features[name]; value != nil {
			known = append(known, fmt.Sprintf("%s %d", name, *value))
		}
	}
	if len(v.Features) > 0 {
		s.hang("features with data: ", strings.Join(known, ", "))
	}
	return nil
}
