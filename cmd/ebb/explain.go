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
	"ebb/scoring/alert"
	"ebb/scoring/pack"
)

// explainFlags is the command line of explain.
type explainFlags struct {
	packFlags
	json bool
}

func newExplainCommand(a *app) *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain [FILE]",
		Short: "Recompute alerts from what they carry, and show the sum",
		Long: `Recompute each alert and show every term with what it was computed from and the sum so far. No Kafka and no Redis is asked. FILE
holds an alert a line, as ebb alerts --json prints them; it may be gzipped. "-" or no FILE is standard input.

Checked to the last bit, from the alert alone: that all terms are there, each from its inputs and coefficients; factors and their cap;
the sum; the risk score with the floor that the alert names; the churn probability, whether it is provisional, and its curve; what is
at risk of the value; the way out of the tier, where that is a visit or the end of friction, and its risk score.

Checked where the alert's pack is known, which is one that comes with ebb, or --pack with the overrides that ebb run has: everything
else that is in the alert: its decision is read back and rendered anew. Taken as the alert says even then, since nothing else in it
leads there: episode, visits, cause, values of features beyond what follows from them, and the time of what is neither a lapse nor
raised; within bounds, how open episodes of other kinds lift the tiers, the tier before a lapse was raised, where factors may have
made it, and which of the stages that fit silence and tenure.

An alert that says something else, or cannot be read, is reported with its line; the rest is looked at all the same, and the exit code
is 1.`,
		Example: "  ebb alerts --from-start --until-end --json | ebb explain\n" +
			"  ebb explain --pack mine.yaml alerts.ndjson.gz\n" +
			"  ebb alerts --json | grep '\"customer\":\"c-42\"' | ebb explain --json",
		Args: arguments(0, 1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.explain(cmd, &f, args) },
	}
	cmd.Flags().StringVar(&f.pack, "pack", "", "check alerts of this pack against it, too: a `NAME` or a file")
	f.addOverrides(cmd)
	cmd.Flags().
		BoolVar(&f.json, "json", false, "print an object for each alert: its id, and the terms, the sum and the differences")
	return cmd
}

func (a *app) explain(cmd *cobra.Command, f *explainFlags, args []string) error {
	packs, err := a.knownPacks(f)
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

// knownPacks are the packs that come with ebb and the pack of the flags, by their hash.
func (a *app) knownPacks(f *explainFlags) (map[string]*alert.Renderer, error) {
	known, err := inspect.Shipped()
	if err != nil {
		return nil, err
	}
	if f.packFlags == (packFlags{}) {
		return known, nil
	}
	// today's overrides do not apply to a pack that ebb has stored
	if b, err := os.ReadFile(f.pack); err == nil && f.packFlags == (packFlags{pack: f.pack}) {
		if k, err := pack.LoadCanonical(bytes.TrimSpace(b)); err == nil {
			known[k.Hash] = alert.NewRenderer(k)
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
	known[k.Hash] = alert.NewRenderer(k)
	return known, nil
}

// explaining is a run through a file of alerts.
type explaining struct {
	view.Explanation
	errors  terminal.Screen
	packs   map[string]*alert.Renderer
	encoder *json.Encoder
	asJSON  bool

	proven, alone, wrong int  // alerts: that contain what follows from them; of these, without their pack; others
	shown                bool // any
}

// next explains one line, and prints with it what is wrong. It returns errors of the output only.
func (r *explaining) next(where string, line []byte) error {
	e, err := inspect.Explain(line, r.packs)
	if err != nil {
		r.wrong++
		_, err = fmt.Fprintf(r.errors, "%s: %s\n", where, err)
		return err
	}
	if r.asJSON {
		err = r.encoder.Encode(e)
	} else {
		err = r.Alert(e, r.shown)
		r.shown = true
	}
	switch {
	case len(e.Differences) > 0:
		r.wrong++
		fmt.Fprintf(
			r.errors,
			"%s: alert %s does not prove itself: %s\n",
			where,
			terminal.Printable(e.ID),
			view.Differences(e.Differences),
		)
	case e.By == nil:
		r.alone++
		fallthrough
	default:
		r.proven++
	}
	return err
}

func (r *explaining) end() error {
	if r.wrong > 0 {
		err := fmt.Errorf("%d of %s: not what follows, or no alert", r.wrong, advice.Plural(r.wrong+r.proven, "line"))
		return advice.Add(err, "an alert a line is wanted, as ebb alerts --json prints them")
	}
	if r.asJSON || r.proven == 1 {
		return nil
	}
	if r.proven == 0 {
		_, err := fmt.Fprintln(r, "no alerts")
		return err
	}
	summary := fmt.Sprintf("%s recomputed, every bit as they say", advice.Plural(r.proven, "alert"))
	if r.alone > 0 {
		summary = fmt.Sprintf(
			"%s recomputed, every number follows; %d without their pack: not checked there are %s",
			advice.Plural(r.proven, "alert"),
			r.alone,
			view.ByPack,
		)
	}
	fmt.Fprintln(r)
	r.Say("", "  ", summary)
	return nil
}
