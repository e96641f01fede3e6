package main

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/check"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
)

// sample tries the records of the file that the flag names.
func (a *app) sample(cmd *cobra.Command, f *checkFlags) error {
	if f.create || f.brokers != "" || f.topic != "" {
		return advice.Usage(errors.New("--sample looks at a file alone: leave --create, --brokers and --topic out"))
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	lines, err := eventlog.OpenLines(f.sample, terminal.StoppableReader(cmd.Context(), cmd.InOrStdin()))
	if err != nil {
		return err
	}
	defer lines.Close()
	pack, err := connect.LoadPack(cfg)
	if err != nil {
		return err
	}
	s := check.NewSample(cfg, lines.Name, pack)
	if f.json {
		err = sampleAsJSON(cmd, s, lines)
	} else {
		err = sampleAsText(cmd, terminal.NewScreen(cmd.OutOrStdout(), a.environ), s, lines)
	}
	if err == nil && s.Total().Quarantined > 0 {
		err = errReported
	}
	return err
}

func sampleAsText(cmd *cobra.Command, screen terminal.Screen, s *check.Sample, lines *eventlog.File) error {
	show := func(r *check.Record) error { return view.SampleRecord(screen, s.Name, r) }
	if err := s.Run(cmd.Context(), lines, show); err != nil {
		return err
	}
	view.SampleTotal(screen, s)
	return nil
}

// sampleAsJSON prints an object a line, the closing count last.
func sampleAsJSON(cmd *cobra.Command, s *check.Sample, lines *eventlog.File) error {
	encoder := json.NewEncoder(cmd.OutOrStdout())
	encoder.SetEscapeHTML(false)
	if err := s.Run(cmd.Context(), lines, func(r *check.Record) error { return encoder.Encode(r) }); err != nil {
		return err
	}
	return encoder.Encode(s.Total())
}
