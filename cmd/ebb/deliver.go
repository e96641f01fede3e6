package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/deliverer"
	"ebb/cmd/ebb/terminal"
)

// deliverFlags override settings of deliver and deliver test.
type deliverFlags struct {
	url, secrets, headers string
}

func (f *deliverFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "", "endpoint, a `URL` (default: deliver.url)")
	flags.StringVar(&f.secrets, "secrets", "", "`FILE` of the secrets that sign (default: deliver.secrets_file)")
	flags.StringVar(&f.headers, "headers", "", "`FILE` of headers to send along (default: deliver.headers_file)")
}

// deliverConfig is the configuration of a command that posts to the endpoint.
func (a *app) deliverConfig(f *deliverFlags) (*config.Config, error) {
	cfg, err := a.config(config.Overrides("url", "deliver.url", f.url, "secrets", "deliver.secrets_file", f.secrets,
		"headers", "deliver.headers_file", f.headers)...)
	if err == nil && cfg.Deliver.URL == "" {
		err = advice.Usage(errors.New("there is no endpoint: set deliver.url (EBB_DELIVER_URL), or use --url"))
	}
	return cfg, err
}

func newDeliverCommand(a *app) *cobra.Command {
	var f deliverFlags
	cmd := &cobra.Command{
		Use:   "deliver",
		Short: "Post each alert to a webhook until stopped",
		Long: `Post each alert to an HTTP endpoint until stopped: read the alert topic as a consumer group of its own, sign each alert by
Standard Webhooks, and send it until the endpoint answers 2xx. Any number of processes may run in one group.

An alert may be sent more than once, always under the same webhook-id; the receiver skips the ids that it knows. The alerts of
a customer come in order: one that the endpoint does not take holds up those behind it in its partition, for ever, at growing
intervals. Only an alert whose expires_at has passed goes to the topic of undelivered alerts instead.

SIGTERM or Ctrl-C finishes the requests under way. docs/deliver.md says what a receiver has to do.`,
		Example: "  ebb deliver test --url https://crm.example.org/ebb --secrets secrets.txt\n" +
			"  ebb deliver -c ebb.yaml\n" +
			"  EBB_DELIVER_GROUP=ebb.desk ebb deliver --url https://desk.example.org/ebb\n" +
			"  ebb health --deliver --ready              # is anything held up?",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.deliver(cmd, &f) },
	}
	f.add(cmd)
	cmd.AddCommand(newDeliverTestCommand(a))
	return cmd
}

// agent is how requests name this program.
func agent() string { return "ebb/" + version() }

func (a *app) deliver(cmd *cobra.Command, f *deliverFlags) error {
	cfg, err := a.deliverConfig(f)
	if err != nil {
		return err
	}
	d, err := deliverer.New(cmd.Context(), cfg, newLogger(cfg.Log, terminal.NewScreen(cmd.ErrOrStderr(), a.environ)),
		deliverer.Options{Agent: agent(), CreateLine: a.checkCommand("", "")})
	if err != nil {
		if errors.As(err, new(advice.Stopped)) {
			return nil // it ended while it waited for Kafka
		}
		return err
	}
	if err := errors.Join(d.Run(cmd.Context()), d.Close()); err != nil {
		return endedBadly{err}
	}
	return nil
}

func newDeliverTestCommand(a *app) *cobra.Command {
	var f deliverFlags
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Post one signed sample alert, and show what the endpoint answers",
		Long: `Post one signed sample alert to the endpoint, once, and show what it answers. The sample is of a customer that does not
exist, called ebb-sample, under an id of its own each time. Kafka is not asked. Exit code 0: the endpoint took it; 1: it did not.`,
		Example: "  ebb deliver test -c ebb.yaml\n" +
			"  ebb deliver test --url http://127.0.0.1:8080/ --secrets secrets.txt",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.deliverTest(cmd, &f) },
	}
	f.add(cmd)
	return cmd
}

func (a *app) deliverTest(cmd *cobra.Command, f *deliverFlags) error {
	cfg, err := a.deliverConfig(f)
	if err != nil {
		return err
	}
	out := terminal.NewScreen(cmd.OutOrStdout(), a.environ)
	endpoint, err := deliverer.OpenEndpoint(cfg, newLogger(cfg.Log, out), agent())
	if err != nil {
		return err
	}
	defer endpoint.Close()
	now := time.Now()
	sample := deliverer.Sample(now)
	if err := endpoint.Send(cmd.Context(), &sample); err != nil {
		return advice.Add(fmt.Errorf("the sample was not taken: %w", err),
			"ebb deliver would try again until it is; docs/deliver.md says what a receiver has to do")
	}
	fmt.Fprintf(out, "taken in %s: sample alert %s\n", time.Since(now).Round(time.Millisecond), sample.ID)
	return nil
}
