package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/check"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
)

// checkFlags is the command line of check.
type checkFlags struct {
	brokers, topic string
	create         bool
	partitions     int32
	replicas       int16
	json           bool
	sample         string
}

func newCheckCommand(a *app) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find everything that would keep ebb from running",
		Long: `Find everything that would keep ebb from running: configuration, pack, brokers, topics, the group's position, transactions,
Redis. All problems are reported at once, each with what to do about it. Exit code 1 if there is any; warnings are none.
Nothing is changed, except that --create creates the topics that are missing.

With --sample, only a file of records is looked at, and no server is needed: what each becomes, or why it would be
quarantined and what to do. The file is NDJSON, a record's value a line, plain or gzipped; "-" is standard input. Headers and
timestamps of Kafka are not in it: a CloudEvent in binary mode cannot be tried, and a time that only the Kafka record tells
is said to be so. Exit code 1 if a record would be quarantined.`,
		Example: "  ebb check -c ebb.yaml\n" +
			"  ebb check --create --partitions 12 --replicas 3\n" +
			"  kcat -C -b localhost -t events -c 100 | ebb check -c ebb.yaml --sample -\n" +
			"  ebb check --json | jq '.checks[] | select(.status == \"problem\")'",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("sample") {
				return a.sample(cmd, &f)
			}
			return a.check(cmd, &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.brokers, "brokers", "", "brokers, `HOST:PORT`, separated by commas (default: kafka.brokers)")
	flags.StringVar(&f.topic, "topic", "", "input `TOPIC` (default: kafka.input)")
	flags.BoolVar(&f.create, "create", false, "create the topics that are missing")
	flags.Int32Var(
		&f.partitions,
		"partitions",
		4,
		"with --create: `N` partitions of the input topic; they cannot be changed once ebb has run",
	)
	flags.Int16Var(&f.replicas, "replicas", -1, "with --create: `N` replicas of each topic (default: the cluster's own)")
	hideDefaults(flags, "replicas")
	flags.BoolVar(&f.json, "json", false, "print the result as JSON; with --sample an object a line, the count last")
	flags.StringVar(&f.sample, "sample", "", "try what the records of this `FILE` become, - for standard input")
	return cmd
}

// checkCommand is the command line that creates the topics of a command with these flags.
func (a *app) checkCommand(brokers, topic string) string {
	line := "ebb check --create"
	for _, f := range []struct{ flag, value string }{{"-c", a.file}, {"--brokers", brokers}, {"--topic", topic}} {
		if f.value != "" {
			line += " " + f.flag + " " + f.value
		}
	}
	return line
}

// check runs every check and prints what was found.
func (a *app) check(cmd *cobra.Command, f *checkFlags) error {
	if f.partitions < 1 || f.replicas < -1 || f.replicas == 0 {
		return advice.Usage(errors.New("--partitions and --replicas must be 1 or more"))
	}
	cfg, problems := config.LoadAnyway(
		a.file,
		a.environ,
		os.ReadFile,
		config.Overrides("brokers", "kafka.brokers", f.brokers, "topic", "kafka.input", f.topic)...)
	result, err := check.Run(cmd.Context(), check.Options{
		Config: cfg, Problems: problems, File: a.file,
		Create: f.create, Partitions: f.partitions, Replicas: f.replicas, CreateLine: a.checkCommand(f.brokers, f.topic),
		Waiting: waitsOn(terminal.NewScreen(cmd.ErrOrStderr(), a.environ)),
	})
	if err != nil {
		return err
	}
	screen := terminal.NewScreen(cmd.OutOrStdout(), a.environ)
	if f.json {
		encoder := json.NewEncoder(screen)
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(result)
	} else {
		err = view.Findings(screen, result)
	}
	switch {
	case err != nil || result.OK:
		return err
	case len(problems) > 0: // a wrong configuration has its own exit code
		return fmt.Errorf("%w: %w", errReported, config.Problems{})
	}
	return errReported
}
