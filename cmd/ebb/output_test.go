package main

import (
	"encoding/json"
	"strings"
	"testing"

	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/terminal"
)

func TestLoggerFormats(t *testing.T) {
	line := func(format string, s terminal.Screen) string {
		var b strings.Builder
		s.Writer = &b
		logger := newLogger(config.Log{Level: "info", Format: format}, s)
		logger.Debug().Msg("not shown")
		logger.Warn().Str("topic", "events").Msg("topic is gone")
		return b.String()
	}
	for name, got := range map[string]string{
		"auto":               line("auto", terminal.Screen{}),
		"json on a terminal": line("json", terminal.Screen{Terminal: true}),
	} {
		var fields map[string]any
		err := json.Unmarshal([]byte(got), &fields)
		if err != nil || fields["level"] != "warn" || fields["topic"] != "events" ||
			fields["message"] != "topic is gone" || fields["time"] == nil {
			t.Errorf("%s: %q: %v", name, got, err)
		}
	}
	for name, got := range map[string]string{
		"auto on a terminal": line("auto", terminal.Screen{Terminal: true}),
		"console":            line("console", terminal.Screen{}),
	} {
		if !strings.Contains(got, "WRN topic is gone topic=events\n") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestConsoleIsBrief: the start line for people holds what differs from the defaults, the one for machines everything.
func TestConsoleIsBrief(t *testing.T) {
	cfg := config.Default()
	cfg.Kafka.Group, cfg.Redis.Password = "mine", "secret"
	said := func(format string) string {
		var b strings.Builder
		logger := newLogger(config.Log{Level: "info", Format: format}, terminal.Screen{Writer: &b})
		logger.Info().Object("config", cfg.Masked()).Str("pack_hash", strings.Repeat("ab", 32)).Msg("starting")
		return b.String()
	}
	_, got, _ := strings.Cut(said("console"), " ")
	if got != "INF starting kafka.group=mine pack_hash=abababababab redis.password=(set)\n" {
		t.Error(got)
	}
	if got := said(
		"json",
	); !strings.Contains(got, `"kafka.input":"events"`) ||
		!strings.Contains(got, `"kafka.group":"mine"`) {
		t.Error(got)
	}
}
