package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/probes"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
)

// healthFlags is the command line of health.
type healthFlags struct {
	ready   bool
	deliver bool
	json    bool
	timeout time.Duration
}

func newHealthCommand(a *app) *cobra.Command {
	var f healthFlags
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running ebb how it is",
		Long: `Ask the ebb that listens on http.listen whether its loops turn, or with --ready whether every partition that it owns runs.
Exit code 0: yes; 1: no, or nobody answers. It is the health check of an image that has no shell.`,
		Example: "  ebb health\n" +
			"  ebb health --ready --json | jq .partitions\n" +
			"  ebb health --deliver --ready\n" +
			"  EBB_HTTP_LISTEN=10.0.0.7:9464 ebb health --ready",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.health(cmd, &f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.ready, "ready", false, "request readiness (/readyz) instead of liveness (/livez)")
	flags.BoolVar(&f.deliver, "deliver", false, "ask ebb deliver, which listens on deliver.listen")
	flags.BoolVar(&f.json, "json", false, "print the answer as it came")
	flags.DurationVar(&f.timeout, "timeout", 5*time.Second, "how long to wait for the answer, a `TIME` such as 2s")
	return cmd
}

func (a *app) health(cmd *cobra.Command, f *healthFlags) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	key, variable, listen, command := "http.listen", "EBB_HTTP_LISTEN", cfg.HTTP.Listen, "ebb run"
	if f.deliver {
		key, variable, listen, command = "deliver.listen", "EBB_DELIVER_LISTEN", cfg.Deliver.Listen, "ebb deliver"
	}
	if listen == "" {
		return advice.Add(
			fmt.Errorf("%s is empty: there is nothing to connect to", key),
			"set %s (%s) for %s and here alike", key, variable, command,
		)
	}
	path := "/livez"
	if f.ready {
		path = "/readyz"
	}
	url := "http://" + reachable(listen) + path
	req, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("request %s: %w", url, err)
	}
	// no proxy: the server runs on this machine
	client := &http.Client{Timeout: f.timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return advice.Add(
			fmt.Errorf("nobody answers at %s: %s", url, advice.Cause(err)),
			"is %s at work, with this %s (%s)?",
			command,
			key,
			listen,
		)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("request %s: %w", url, err)
	}
	var answer struct {
		Live bool `json:"live"`
		probes.Readiness
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("%s is no ebb: it answers %s", url, res.Status)
	}
	out := terminal.NewScreen(cmd.OutOrStdout(), a.environ)
	switch {
	case f.json:
		_, err = out.Write(body)
	case f.ready:
		view.Readiness(out, &answer.Readiness)
	case answer.Live:
		fmt.Fprintln(out, "live")
	}
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("not %s: %s", map[bool]string{false: "live", true: "ready"}[f.ready], answer.Reason)
	}
	return err
}

// reachable is an address of a process that listens at listen: where it listens on all addresses, loopback is one.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || host != "" && (ip == nil || !ip.IsUnspecified()) {
		return listen
	}
	return net.JoinHostPort("localhost", port)
}
