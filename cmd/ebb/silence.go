package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/held"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
	"ebb/pipeline/redisstore"
)

func newSilenceCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "silence",
		Short: "Hold raises back for a while",
		Long: `Hold back what would be raised, until a time: while a sender is down, a campaign runs, or something is wrong. A raise
that a silence matches is held, and decided anew at its end: who is back by then is never mentioned, who is not is raised with
held_for. An escalation or reminder of an alert that is out already is withheld; what ends an alert goes out as always. A silence
of everything is an emergency stop.`,
		Example: "  ebb silence add --all --for 2h --by kim --why \"emergency stop\"\n  ebb silence list\n" +
			"  ebb silence end 7F3KQ2 --by kim",
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSilenceAddCommand(a), newSilenceListCommand(a), newSilenceEndCommand(a))
	return cmd
}

// silenceFlags is the command line of silence add and end.
type silenceFlags struct {
	match, until string
	span         string
	all, json    bool
	by, why      string
}

func (f *silenceFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.by, "by", "", "the `NAME` of who asks, for the control record")
	flags.StringVar(&f.why, "why", "", "the `REASON`, for the control record")
	flags.BoolVar(&f.json, "json", false, "print the outcome as JSON")
}

func newSilenceAddCommand(a *app) *cobra.Command {
	var f silenceFlags
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Begin a silence",
		Long: `Ask the running ebb for a silence, which begins within seconds; where none runs, the next one begins it before it decides
anything. It ends in event time, which in a live input is about that of the clock. --for counts from now; give --until for a log of
another time. --match names what it holds, as kind, playbook, tenant and pack; all that it names has to fit.`,
		Example: "  ebb silence add --match kind=lapse,playbook=win_back --for 4h --by kim\n" +
			"  ebb silence add --match tenant=acme --until 2026-12-27T08:00:00Z --by kim\n" +
			"  ebb silence add --all --for 2h --by kim --why \"emergency stop\"",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.addSilence(cmd, &f) },
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.match, "match", "", "what it holds, such as kind=lapse,tenant=acme: `NAME=VALUE,...`")
	flags.BoolVar(&f.all, "all", false, "it holds everything")
	flags.StringVar(&f.span, "for", "", "how long it lasts, a `TIME` such as 4h or 2d")
	flags.StringVar(&f.until, "until", "", "when it ends in event time, a `TIME` such as 2026-12-27T08:00:00Z")
	return cmd
}

func newSilenceListCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show the silences in force, and what they hold",
		Long: "Show the silences that are in force or asked for: what they match, when they end, who asked, and how many raises\n" +
			"they hold.",
		Example: "  ebb silence list -c ebb.yaml\n  ebb silence list --json | jq '.[].held'",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withRedis(cmd, func(ctx context.Context, redis *redisstore.Client, group string) error {
				return listSilences(ctx, cmd, redis, group, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a list of objects")
	return cmd
}

func newSilenceEndCommand(a *app) *cobra.Command {
	var f silenceFlags
	cmd := &cobra.Command{
		Use:   "end ID",
		Short: "End a silence before its time",
		Long: "Ask the running ebb to end a silence. What it holds is decided anew at once, unless another silence holds it,\n" +
			"too.",
		Example: "  ebb silence end 7F3KQ2 --by kim",
		Args:    arguments(1, 1, "ID"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.endSilence(cmd, &f, args[0]) },
	}
	f.add(cmd)
	return cmd
}

// withRedis does something with the group's Redis.
func (a *app) withRedis(cmd *cobra.Command, do func(context.Context, *redisstore.Client, string) error) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	redis, err := connect.Redis(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	defer func() { _ = redis.Close() }()
	return do(cmd.Context(), redis, cfg.Kafka.Group)
}

// silence is the silence that the command line describes.
func (f *silenceFlags) silence(now time.Time) (*pipeline.Silence, error) {
	s := &pipeline.Silence{ID: rand.Text()[:6], By: f.by, Why: f.why}
	var err error
	switch {
	case f.by == "":
		return nil, errors.New("--by is missing: who asks for it")
	case f.all == (f.match != ""):
		return nil, errors.New("give --match, or --all for a silence of everything")
	case (f.span == "") == (f.until == ""):
		return nil, errors.New("give --for or --until: a silence has an end")
	case f.match != "":
		if s.Match, err = held.ParseMatch(f.match); err != nil {
			return nil, err
		}
	}
	if f.until != "" {
		if s.Until, err = time.Parse(time.RFC3339, f.until); err != nil {
			return nil, fmt.Errorf("--until is no time such as 2026-12-27T08:00:00Z: %q", f.until)
		}
		s.Until = s.Until.UTC()
		return s, s.Check()
	}
	span, err := advice.ParseDuration(f.span)
	if err != nil || span <= 0 {
		return nil, fmt.Errorf("--for is no time such as 4h or 2d: %q", f.span)
	}
	s.Until = now.Add(span).UTC().Truncate(time.Second)
	return s, s.Check()
}

func (a *app) addSilence(cmd *cobra.Command, f *silenceFlags) error {
	s, err := f.silence(time.Now())
	if err != nil {
		return advice.Usage(err)
	}
	return a.withRedis(cmd, func(ctx context.Context, redis *redisstore.Client, group string) error {
		all, partitions, err := held.Silences(ctx, redis, group)
		switch {
		case err != nil:
			return err
		case len(all) >= pipeline.MaxSilences:
			return advice.Add(fmt.Errorf("%d silences are in force, as many as there may be", len(all)),
				"end one that is not needed: ebb silence list, ebb silence end ID")
		}
		if err := held.AskSilence(ctx, redis, group, partitions, s); err != nil {
			return err
		}
		if f.json {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(s)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "silence %s of %s until %s is asked of %s; the running ebb begins it\n", s.ID,
			held.MatchText(&s.Match), s.Until.Format(time.RFC3339), advice.Plural(partitions, "partition"))
		return nil
	})
}

func (a *app) endSilence(cmd *cobra.Command, f *silenceFlags, id string) error {
	if f.by == "" {
		return advice.Usage(errors.New("--by is missing: who asks for it"))
	}
	return a.withRedis(cmd, func(ctx context.Context, redis *redisstore.Client, group string) error {
		all, partitions, err := held.Silences(ctx, redis, group)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(s held.Silence) bool { return s.ID == id })
		if i < 0 {
			return advice.Add(fmt.Errorf("no silence %s is in force", id), "ebb silence list shows those that are")
		}
		s := &pipeline.Silence{ID: id, Ended: true, By: f.by, Why: f.why}
		if err := held.AskSilence(ctx, redis, group, partitions, s); err != nil {
			return err
		}
		if f.json {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(s)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "the end of silence %s, which holds %s, is asked of %s; the running ebb ends it\n", id,
			advice.Count(int64(all[i].Held), "raise"), advice.Plural(partitions, "partition"))
		return nil
	})
}

func listSilences(
	ctx context.Context, cmd *cobra.Command, redis *redisstore.Client, group string, asJSON bool,
) error {
	all, partitions, err := held.Silences(ctx, redis, group)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if asJSON {
		if all == nil {
			all = []held.Silence{}
		}
		return json.NewEncoder(out).Encode(all)
	}
	if len(all) == 0 {
		fmt.Fprintln(out, "no silence is in force")
	}
	for i := range all {
		s := &all[i]
		words := []string{
			fmt.Sprintf("%s  %s until %s", s.ID, held.MatchText(&s.Match), s.Until.Format(time.RFC3339)),
			fmt.Sprintf("in force in %d of %s", s.InForce, advice.Plural(partitions, "partition")),
			"holds " + advice.Count(int64(s.Held), "raise"),
			"by " + terminal.Printable(s.By),
		}
		if s.Why != "" {
			words = append(words, terminal.Printable(s.Why))
		}
		if s.Asked > 0 {
			words = append(words, fmt.Sprintf("asked of %s", advice.Plural(s.Asked, "partition")))
		}
		fmt.Fprintln(out, strings.Join(words, ", "))
	}
	return nil
}
