// Command bench measures the line as its users run it: the real program as a process, between a Kafka and a Redis that
// it starts on free ports and removes at the end. "task bench:line" runs it.
//
// It fills a topic with the load of ../shared/bench, which the compared programs were measured on. A fresh group
// processes all of it, several times, with the default configuration. The first runs are not counted: a new broker
// compiles its code for two minutes, which takes up to half of its processor time, while real brokers run for months.
// Events per second count from the first takeover to the last published transaction. Then it sends live events at half
// of the median rate to the last of these groups, and measures how long an event takes to become an alert that a reader
// of committed data sees.
//
// The program's CPU profile shows where the processor's CPU goes: each sample counts for the innermost function on its
// stack that belongs to a stage. The shares of the profile are applied to the CPU time that the process itself reports.
//
// With -takeover it measures instead how long a partition stands still when the member that owns it is killed, leaves
// or is restarted, under live events. "task bench:takeover" runs it so.
//
// With -poison it processes a copy of the topic in which every fifth record cannot be used, for all reasons in turn,
// and the topic itself. It compares the DLQ with what was sent, and one rate with the other. "task bench:poison" runs
// it so.
//
// With -midnight it measures how long live events take while the deadlines of a million customers fall due in one hour
// of event time, which passes in ten minutes and less. "task bench:midnight" runs it so.
//
// With -armed it measures how a process comes back to a million armed deadlines of one hour, and with -times how it comes
// back to very many time records. "task bench:armed" and "task bench:times" run it so.
//
// Everything runs on one machine: CPU that Kafka, Redis and this program use is missing for the processor. The report
// contains cores and load average, since a figure means nothing without them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"

	"ebb/pipeline/redisstore"
)

// options are the flags of the command line.
type options struct {
	Events     int    `json:"events"`
	Customers  int    `json:"customers"`
	Partitions int    `json:"partitions"`
	Days       int    `json:"days"`
	Seed       uint64 `json:"seed"`
	AOF        bool   `json:"redis_append_only_file"`
	WarmUp     int    `json:"runs_not_counted"`

	Pack string `json:"pack"`

	runs    int
	profile string
	live    time.Duration
	outage  outageOptions
	poison  bool

	midnight bool
	passing  []float64
	armed    bool
	times    int
	json     bool
	program  string
	shared   string
}

func (o *options) setPassing(text string) error {
	o.passing = nil
	for part := range strings.SplitSeq(text, ",") {
		seconds, err := strconv.ParseFloat(part, 64)
		if err != nil || !(seconds >= 0) {
			return fmt.Errorf("%q is no number of seconds", part)
		}
		o.passing = append(o.passing, seconds)
	}
	return nil
}

func readOptions() (o options) {
	flag.IntVar(
		&o.Events,
		"events",
		2_000_000,
		"events in the topic; with -takeover as many as customers, with -poison 5,000,000 unless set",
	)
	flag.IntVar(&o.Customers, "customers", 200_000, "customers they are of; with -takeover 1,000,000 unless set")
	flag.IntVar(&o.Partitions, "partitions", 4, "partitions of the topic")
	flag.IntVar(&o.Days, "days", 180, "span of event time; with -takeover 3 unless set")
	flag.Uint64Var(&o.Seed, "seed", 1, "seed of the load")
	flag.BoolVar(&o.AOF, "aof", false, "let Redis keep its append-only file, flushed every second")
	flag.IntVar(&o.WarmUp, "warm", 8, "how often the topic is processed before it counts")
	flag.IntVar(&o.runs, "runs", 3, "how often the topic is processed from the start")
	flag.StringVar(&o.Pack, "pack", "any", "pack that scores, with the load's horizon and friction")
	flag.StringVar(&o.profile, "profile", "", "write the CPU profile of the runs that count to this file")
	flag.DurationVar(&o.live, "live", 20*time.Second, "how long latency is measured; 0: not at all")
	flag.BoolVar(&o.json, "json", false, "print one JSON object")
	flag.StringVar(&o.program, "ebb", "bin/ebb", "the program to measure")
	flag.StringVar(&o.shared, "shared", "../shared", "folder with the load (bench) and the services (testenv)")
	o.outage.define()
	flag.BoolVar(&o.poison, "poison", false, "measure what a million poisoned records among five million do")
	flag.BoolVar(&o.midnight, "midnight", false, "measure live events while a million deadlines of one hour fall due")
	o.passing = []float64{600, 60, 10, 1, 0}
	flag.Func(
		"passing",
		"with -midnight: seconds in which the hour passes, 0: at once (default 600,60,10,1,0)",
		o.setPassing,
	)
	flag.BoolVar(&o.armed, "armed", false, "measure how a process comes back to a million armed deadlines of one hour")
	flag.IntVar(&o.times, "times", 0, "measure how a process comes back to so many time records; 0: not")
	flag.Parse()
	set := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if o.poison && !set["events"] {
		o.Events = 5_000_000
	}
	if (o.outage.takeover || o.midnight || o.armed) && !set["customers"] {
		o.Customers = 1_000_000
	}
	if o.poison || o.outage.takeover {
		o.WarmUp = 0
	}
	if o.midnight || o.armed {
		o.Events = o.Customers + midnightOpen
	}
	if o.outage.takeover && !set["events"] {
		o.Events = o.Customers
	}
	if o.outage.takeover && !set["days"] {
		o.Days = int(rhythm / (24 * time.Hour)) // so that nobody was silent for long when the live events begin
	}
	return o
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := readOptions()
	var result interface {
		write(w io.Writer, asJSON bool) error
	}
	var err error
	switch {
	case o.outage.takeover:
		result, err = measureTakeover(ctx, &o, os.Stderr)
	case o.midnight:
		result, err = measureMidnight(ctx, &o, os.Stderr)
	case o.armed:
		result, err = measureArmed(ctx, &o, os.Stderr)
	case o.times > 0:
		result, err = measureTimes(ctx, &o, os.Stderr)
	case o.poison:
		result, err = measurePoison(ctx, &o, os.Stderr)
	default:
		result, err = measure(ctx, &o, os.Stderr)
	}
	if err == nil {
		err = result.write(os.Stdout, o.json)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// bench is a measurement in progress.
type bench struct {
	*options
	*services
	dir string
	say io.Writer // for progress
}

const input = "bench.events"

// measure measures the line.
func measure(ctx context.Context, o *options, say io.Writer) (*report, error) {
	if o.runs < 1 || o.WarmUp < 0 {
		return nil, errors.New("-runs: at least one; -warm: none or more")
	}
	r := &report{Commit: commit(ctx), Machine: machine(), Load: *o}
	return r, filled(ctx, o, say, func(b *bench) error { return b.all(ctx, r) })
}

// filled runs do, which measures between services with a filled topic.
func filled(ctx context.Context, o *options, say io.Writer, do func(*bench) error) error {
	return serving(ctx, o, say, func(b *bench) error {
		if err := b.fill(ctx); err != nil {
			return fmt.Errorf("fill the topic: %w", err)
		}
		return do(b)
	})
}

// serving runs do, which measures between services, and stops what it started whatever happens.
func serving(ctx context.Context, o *options, say io.Writer, do func(*bench) error) (err error) {
	dir, err := os.MkdirTemp("", "ebb-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := startServices(ctx, o, filepath.Join(dir, "services"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop(context.WithoutCancel(ctx))) }()
	return do(&bench{options: o, services: s, dir: dir, say: say})
}

func (b *bench) all(ctx context.Context, r *report) error {
	for i := range b.WarmUp {
		g, err := b.groupOn(ctx, fmt.Sprintf("warm-%d", i), input, "")
		if err != nil {
			return err
		}
		run, err := g.run(ctx)
		if err == nil {
			err = b.forget(ctx, g.name)
		}
		if err != nil {
			return fmt.Errorf("run to warm up: %w", err)
		}
		fmt.Fprintf(
			b.say,
			"warming up, %d of %d: %.0f events/s, Kafka %.1f us/event\n",
			i+1,
			b.WarmUp,
			run.EventsPerSecond,
			run.KafkaCPU/1000,
		)
	}
	var last *group
	for i := range b.runs {
		g, err := b.newGroup(ctx, i)
		if err != nil {
			return err
		}
		read, err := b.yardstick(ctx)
		if err != nil {
			return err
		}
		run, err := g.run(ctx)
		if err != nil {
			return fmt.Errorf("run %d: %w", i+1, err)
		}
		run.ReadOnly = read
		fmt.Fprintf(b.say, "run %d of %d: %.0f events/s; reading alone %.0f\n", i+1, b.runs, run.EventsPerSecond, read)
		r.Runs, last = append(r.Runs, *run), g
	}
	var err error
	if r.Stages, err = stages(r.Runs); err != nil {
		return err
	}
	if b.profile != "" {
		if err := writeProfile(b.profile, r.Runs); err != nil {
			return fmt.Errorf("write the CPU profile: %w", err)
		}
	}
	if r.Memory, err = b.memory(ctx, last.name); err != nil {
		return fmt.Errorf("measure Redis: %w", err)
	}
	if b.live <= 0 {
		return nil
	}
	half := r.of(func(r *run) float64 { return r.EventsPerSecond }).Median / 2
	if r.Latency, err = last.latency(ctx, half, r.Runs[len(r.Runs)-1].Alerts); err != nil {
		return fmt.Errorf("measure latency: %w", err)
	}
	return nil
}

// fill builds the load's program outside of its folder, which then creates and fills the topic.
func (b *bench) fill(ctx context.Context) error {
	program := filepath.Join(b.dir, "load")
	build := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(b.shared, "bench"), "-o", program, ".")
	build.Stderr = b.say
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	load := exec.CommandContext(ctx, program, "-brokers", b.kafka, "-topic", input, "-events", strconv.Itoa(b.Events),
		"-customers", strconv.Itoa(b.Customers), "-partitions", strconv.Itoa(b.Partitions), "-days", strconv.Itoa(b.Days),
		"-seed", strconv.FormatUint(b.Seed, 10))
	load.Stdout, load.Stderr = b.say, b.say
	return load.Run()
}

// withRedis runs do, which reads the state.
func (b *bench) withRedis(ctx context.Context, do func(*redisstore.Client) error) (err error) {
	c, err := redisstore.Open(ctx, redisstore.Config{Addresses: []string{b.redis}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return do(c)
}

// forget removes a group's state from Redis.
func (b *bench) forget(ctx context.Context, group string) error {
	return b.withRedis(ctx, func(c *redisstore.Client) error {
		_, err := c.Empty(ctx, group, b.Partitions)
		return err
	})
}

// memory is how much memory the group's state uses in Redis.
func (b *bench) memory(ctx context.Context, group string) (memory, error) {
	var u redisstore.Usage
	err := b.withRedis(ctx, func(c *redisstore.Client) (err error) {
		u, err = c.Usage(ctx, group)
		return err
	})
	if err != nil || u.Customers == 0 {
		return memory{}, errors.Join(err, errors.New("no customers"))
	}
	each := func(bytes int64) float64 { return float64(bytes) / float64(u.Customers) }
	return memory{
		Customers: u.Customers, DueBuckets: u.DueBuckets, Total: u.PerCustomer(),
		Profiles: each(u.Profiles), Due: each(u.Due), Outbox: each(u.Outbox), Meta: each(u.Meta),
	}, nil
}

// commit is the measured commit in git's notation; "unknown" outside of a checkout.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func machine() string {
	about := fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return about
	}
	if cpus, err := fs.CPUInfo(); err == nil && len(cpus) > 0 {
		about += ", " + cpus[0].ModelName
	}
	return about + fmt.Sprintf(", load average before %.1f", loadAverage())
}

// loadAverage is the machine's of the last minute; 0 where the system has none.
func loadAverage() float64 {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0
	}
	load, err := fs.LoadAvg()
	if err != nil {
		return 0
	}
	return load.Load1
}
