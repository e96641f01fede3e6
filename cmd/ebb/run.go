package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/embedded"
	"ebb/cmd/ebb/processor"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
)

// packFlags override parts of the pack; run, demo and similar commands share them.
type packFlags struct {
	pack, activity, friction, horizon string
}

func (f *packFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.pack, "pack", "", "scoring pack by its `NAME` (default: pack.name)")
	f.addOverrides(cmd)
}

// addOverrides adds the flags that override parts of any pack.
func (f *packFlags) addOverrides(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(
		&f.activity,
		"activity",
		"",
		"event `TYPES` that count as activity, separated by commas; * for all but friction",
	)
	flags.StringVar(
		&f.friction,
		"friction",
		"",
		"event `TYPES` that count as friction, as TYPE or TYPE=WEIGHT, separated by commas",
	)
	flags.StringVar(
		&f.horizon,
		"horizon",
		"",
		"the score answers how likely a customer does nothing for this long, a `TIME` such as 90d",
	)
}

func (f *packFlags) overrides() []config.Override {
	return config.Overrides("pack", "pack.name", f.pack, "activity", "pack.activity", f.activity,
		"friction", "pack.friction", f.friction, "horizon", "pack.horizon", f.horizon)
}

// runFlags is the command line of run.
type runFlags struct {
	packFlags
	embedded, untilEnd, leave, acceptPoison bool
	history                                 string
	advanceTo                               string
}

// advance is the time of --advance-to; zero: none is given.
func (f *runFlags) advance(now time.Time) (at time.Time, err error) {
	switch f.advanceTo {
	case "":
		return at, nil
	case "now":
		at = now
	default:
		if at, err = time.Parse(time.RFC3339, f.advanceTo); err != nil || at.Unix() < 60 {
			return at, advice.Usage(
				fmt.Errorf("--advance-to: want a time such as 2026-11-30T08:00:00Z, or now, found %q", f.advanceTo),
			)
		}
	}
	switch {
	case !f.untilEnd:
		return at, advice.Usage(errors.New("--advance-to needs --until-end"))
	case at.After(now):
		return at, advice.Usage(
			fmt.Errorf("--advance-to: %s has not come: all events until then would be late, for good", f.advanceTo),
		)
	}
	return at, nil
}

func newRunCommand(a *app) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Process events into alerts until stopped",
		Long: `Process events into alerts until stopped: read the input topic as a member of the group, keep each customer's state in
Redis, publish alerts. Any number of processes may run in one group; each owns some of the input's partitions.

SIGTERM or Ctrl-C drains: what was fetched is committed and published, bounded by shutdown_timeout. The member stays in the
group until its session ends, so that a restart takes its partitions up again without a rebalance; --leave gives them to the
others at once.

What the input holds when the group first starts is history: it builds state, and then those who are at risk by it are raised
a few at a time. With --history none each old lapse is raised, and ended, as if ebb had run all the time.`,
		Example: "  ebb run -c ebb.yaml\n" +
			"  ebb run -c ebb.yaml --until-end --advance-to now    # and who is silent by now\n" +
			"  ebb run -c ebb.yaml --history none        # a log that is replayed on purpose\n" +
			"  ebb run --embedded                        # Kafka and Redis inside, for a try\n" +
			"  ebb run -c ebb.yaml --until-end | jq .    # what is there now, then a summary",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.run(cmd, &f) },
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(
		&f.embedded,
		"embedded",
		false,
		"start a Kafka and a Redis inside the process, on free ports; they keep nothing",
	)
	flags.BoolVar(
		&f.untilEnd,
		"until-end",
		false,
		"stop at the end offsets found at the start, with all deadlines up to the last watermark fired, and print a "+
			"summary as the last line",
	)
	flags.StringVar(
		&f.advanceTo,
		"advance-to",
		"",
		"with --until-end: at the end let event time pass to `TIME`, as 2026-11-30T08:00:00Z, or now, and fire what is due by "+
			"then; what comes later from before that is late, for good, so a time that has not come is refused",
	)
	flags.BoolVar(
		&f.acceptPoison,
		"accept-poison",
		false,
		"let what is in the input now pass the poison breaker, whatever share of it cannot be used; the breaker holds for "+
			"what comes after",
	)
	flags.StringVar(
		&f.history,
		"history",
		"",
		"what the events are that are there when the group first starts, `HOW`: first_start (history that raises nothing at "+
			"once) or none (events like any other); default: start.history",
	)
	flags.BoolVar(&f.leave, "leave", false, "leave the group at the end")
	return cmd
}

func (a *app) run(cmd *cobra.Command, f *runFlags) error {
	advanceTo, err := f.advance(time.Now())
	if err != nil {
		return err
	}
	cfg, err := a.config(append(f.overrides(), config.Overrides("history", "start.history", f.history)...)...)
	if err != nil {
		return err
	}
	log := newLogger(cfg.Log, terminal.NewScreen(cmd.ErrOrStderr(), a.environ))
	hangup := make(chan os.Signal, 1) // nobody has to read it: a process that is notified does not die of the signal
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	if f.embedded {
		e, err := embedded.Start(cmd.Context(), cfg)
		if err != nil {
			return err
		}
		defer e.Close()
		log.Info().Strs("kafka", cfg.Kafka.Brokers).Strs("redis", cfg.Redis.Addresses).
			Str("try", "ebb produce --brokers "+strings.Join(cfg.Kafka.Brokers, ",")+" FILE").Msg("embedded services started")
	}
	p, err := processor.New(cmd.Context(), cfg, log, processor.Options{
		Hangups:      true,
		UntilEnd:     f.untilEnd,
		AdvanceTo:    advanceTo,
		Leave:        f.leave,
		AcceptPoison: f.acceptPoison,
		Embedded:     f.embedded,
		Trace:        killSwitch(a.environ, log),
		Newest:       testFormat(a.environ),
		CreateLine:   a.checkCommand("", ""),
	})
	if err != nil {
		if !f.untilEnd && errors.As(err, new(advice.Stopped)) {
			return nil // it ended while it waited for Kafka or Redis
		}
		return err
	}
	stop, err := measure(a.environ, log)
	if err != nil {
		return errors.Join(err, p.Close())
	}
	beside := processor.StartShadows(cmd.Context(), p)
	err = errors.Join(p.Run(cmd.Context()), stop(), p.Close())
	beside.End(err == nil && f.untilEnd)
	if err != nil && !errors.As(err, new(advice.Stopped)) {
		return endedBadly{err}
	}
	if err != nil || !f.untilEnd {
		return err
	}
	sum := p.Summary()
	sum.Shadows = beside.Summaries()
	return json.NewEncoder(cmd.OutOrStdout()).Encode(sum)
}

// testFormat makes the process behave like one of another build, for tests of upgrades: EBB_TEST_FORMAT=N is the newest
// format of the state that it can read. 0: there is no such variable.
func testFormat(environ []string) int {
	text, ok := lookup(environ, "EBB_TEST_FORMAT")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		panic("BUG: EBB_TEST_FORMAT is a number, found " + text)
	}
	return n
}

// killSwitch makes the process kill itself in the middle of its work, for tests of what that leaves behind:
// EBB_TEST_KILL=STEP:OFFSET kills it after the first STEP of any partition that has reached OFFSET.
func killSwitch(environ []string, log zerolog.Logger) func(pipeline.Step, int64) {
	spec, ok := lookup(environ, "EBB_TEST_KILL")
	if !ok {
		return nil
	}
	var step string
	var offset int64
	if _, err := fmt.Sscanf(spec, "%s %d", &step, &offset); err != nil {
		panic("BUG: EBB_TEST_KILL is STEP OFFSET, found " + spec)
	}
	return func(s pipeline.Step, next int64) {
		if s.String() == step && next >= offset {
			log.Warn().Str("step", step).Int64("next", next).Msg("killed by EBB_TEST_KILL")
			killSelf()
		}
	}
}

// killSelf ends the process as kill -9 does.
func killSelf() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
