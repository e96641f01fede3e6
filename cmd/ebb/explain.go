package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/inspect"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/pipeline/kafkawire"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
)

// explainFlags is the command line of explain.
type explainFlags struct {
	packFlags
	stored, json bool
}

func newExplainCommand(a *app) *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain [FILE]",
		Short: "Recompute alerts from their inputs and pack, and show the sum",
		Long: `Recompute each alert and show every term with what it was computed from and the sum so far. FILE holds an alert a line, as
ebb alerts --json prints them; it may be gzipped. "-" or no FILE is standard input.

An alert holds the inputs of its score to the last bit; the formulas are those of the core version that it names, the coefficients
those of its pack. Its pack is one that comes with ebb, one of --pack with the overrides that ebb run has, or, with --stored, one in
the topic of packs. Without --stored neither Kafka nor Redis is asked.

The decision is read back, computed and rendered anew, and everything in the alert has to be as it comes out. Taken as the alert says,
since nothing else in it leads there: visits, probes, cause, values of features beyond what follows from them, and the times of what is
neither a lapse nor raised; within bounds, how open episodes of other kinds lift the tiers, the tier before a lapse was raised, where
factors may have made it, and which of the stages that fit silence and tenure.

An alert that says something else, whose pack is not known, or that cannot be read, is reported with its line; the rest is looked at
all the same, and the exit code is 1.`,
		Example: "  ebb alerts --from-start --until-end --json | ebb explain\n" +
			"  ebb explain --pack mine.yaml alerts.ndjson.gz\n" +
			"  ebb explain -c ebb.yaml --stored alerts.ndjson\n" +
			"  ebb alerts --json | grep '\"customer\":\"c-42\"' | ebb explain --json",
		Args: arguments(0, 1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.explain(cmd, &f, args) },
	}
	cmd.Flags().StringVar(&f.pack, "pack", "", "check alerts of this pack against it, too: a `NAME` or a file")
	f.addOverrides(cmd)
	cmd.Flags().BoolVar(&f.stored, "stored", false, "look for the packs of alerts in the topic of packs, too")
	cmd.Flags().
		BoolVar(&f.json, "json", false, "print an object for each alert: its id, and the terms, the sum and the differences")
	return cmd
}

func (a *app) explain(cmd *cobra.Command, f *explainFlags, args []string) error {
	packs, err := a.knownPacks(cmd.Context(), f)
	if err != nil {
		return err
	}
	name := eventlog.Stdin
	if len(args) > 0 {
		name = args[0]
	}
	lines, err := eventlog.OpenLines(name, terminal.StoppableReader(cmd.Context(), cmd.InOrStdin()))
	if err != nil {
		return err
	}
	defer lines.Close()
	run := explaining{
		Explanation: view.Explanation{
			Screen: terminal.NewScreen(cmd.OutOrStdout(), a.environ),
		},
		errors:  terminal.NewScreen(cmd.ErrOrStderr(), a.environ),
		packs:   packs,
		encoder: json.NewEncoder(cmd.OutOrStdout()),
		asJSON:  f.json,
	}
	for cmd.Context().Err() == nil {
		line, err := lines.NextLine()
		if errors.Is(err, io.EOF) {
			return run.end()
		}
		if err != nil {
			return err
		}
		if err := run.next(fmt.Sprintf("%s:%d", lines.Name, lines.Line), line); err != nil {
			return err
		}
	}
	return context.Cause(cmd.Context())
}

// knownPacks are the packs that come with ebb, the pack of the flags, and where they want it those of the topic of
// packs, by their hash.
func (a *app) knownPacks(ctx context.Context, f *explainFlags) (map[string]*alert.Renderer, error) {
	known, err := inspect.Shipped()
	if err != nil {
		return nil, err
	}
	if f.stored {
		if err := a.addStoredPacks(ctx, known); err != nil {
			return nil, err
		}
	}
	if f.packFlags == (packFlags{}) {
		return known, nil
	}
	// today's overrides do not apply to a pack that ebb has stored
	if b, err := os.ReadFile(f.pack); err == nil && f.packFlags == (packFlags{pack: f.pack}) {
		if k, err := pack.LoadCanonical(bytes.TrimSpace(b)); err == nil {
			known[pack.Short(k.Hash)] = alert.NewRenderer(k)
			return known, nil
		}
	}
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return nil, err
	}
	k, err := connect.LoadPack(cfg)
	if err != nil {
		return nil, advice.Usage(err)
	}
	known[pack.Short(k.Hash)] = alert.NewRenderer(k)
	return known, nil
}

// addStoredPacks adds the packs in the configuration's topic of packs.
func (a *app) addStoredPacks(ctx context.Context, known map[string]*alert.Renderer) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	client, err := connect.Kafka(cfg, cfg.Kafka.Packs)
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := connect.FindTopic(ctx, client, cfg, cfg.Kafka.Packs, kafkawire.Read); err != nil {
		return err
	}
	return inspect.AddStored(ctx, client, cfg.Kafka.Packs, known)
}

// explaining is a run through a file of alerts.
type explaining struct {
	view.Explanation
	errors  terminal.Screen
	packs   map[string]*alert.Renderer
	encoder *json.Encoder
	asJSON  bool

	proven, wrong int  // alerts: that contain what follows from them; others
	shown         bool // any
	strange       bool // any was of a pack that is not known
}

// next explains one line, and prints with it what is wrong. It returns errors of the output only.
func (r *explaining) next(where string, line []byte) error {
	e, err := inspect.Explain(line, r.packs)
	if err != nil {
		r.wrong++
		r.strange = r.strange || errors.Is(err, inspect.ErrPackUnknown)
		_, err = fmt.Fprintf(r.errors, "%s: %s\n", where, err)
		return err
	}
	if r.asJSON {
		err = r.encoder.Encode(e)
	} else {
		err = r.Alert(e, r.shown)
		r.shown = true
	}
	if len(e.Differences) == 0 {
		r.proven++
		return err
	}
	r.wrong++
	fmt.Fprintf(
		r.errors,
		"%s: alert %s does not prove itself: %s\n",
		where,
		terminal.Printable(e.ID),
		view.Differences(e.Differences),
	)
	return err
}

func (r *explaining) end() error {
	if r.wrong > 0 {
		err := fmt.Errorf("%d of %s: not what follows, or no alert", r.wrong, advice.Plural(r.wrong+r.proven, "line"))
		if r.strange {
			return advice.Add(
				err,
				"name the pack by --pack, a file and the overrides of ebb run, or look in the topic of packs by --stored",
			)
		}
		return advice.Add(err, "an alert a line is wanted, as ebb alerts --json prints them")
	}
	if r.asJSON || r.proven == 1 {
		return nil
	}
	if r.proven == 0 {
		_, err := fmt.Fprintln(r, "no alerts")
		return err
	}
	fmt.Fprintln(r)
	r.Say("", "  ", fmt.Sprintf("%s recomputed, every digit as they say", advice.Plural(r.proven, "alert")))
	return nil
}
