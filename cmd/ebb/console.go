package main

import (
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/rs/zerolog"

	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/terminal"
)

// newLogger writes JSON lines, or lines for people where the format or the terminal calls for them.
func newLogger(cfg config.Log, s terminal.Screen) zerolog.Logger {
	level, err := zerolog.ParseLevel(cfg.Level)
	if err != nil {
		panic("BUG: log level passed the check: " + cfg.Level)
	}
	var w io.Writer = s
	if cfg.Format == "console" || cfg.Format == "auto" && s.Terminal {
		w = newConsole(s)
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// newConsole writes log lines for people, in colours that can be read on any background.
func newConsole(s terminal.Screen) zerolog.ConsoleWriter {
	levels := map[string]string{
		"debug": "DBG",
		"info":  s.Paint(text.Colors{text.FgGreen}, "INF"),
		"warn":  s.Paint(text.Colors{text.FgYellow, text.Bold}, "WRN"),
		"error": s.Paint(
			text.Colors{text.FgRed, text.Bold},
			"ERR",
		),
		"fatal": s.Paint(text.Colors{text.FgRed, text.Bold}, "FTL"),
	}
	name := func(field any) string { return s.Paint(text.Colors{text.FgCyan}, fmt.Sprintf("%s=", field)) }
	return zerolog.ConsoleWriter{
		Out: s, NoColor: true, TimeFormat: time.TimeOnly, FormatPrepare: brief,
		FormatLevel: func(level any) string {
			if short, ok := levels[fmt.Sprint(level)]; ok {
				return short
			}
			return fmt.Sprint(level)
		},
		FormatFieldName: name, FormatErrFieldName: name,
	}
}

// brief reduces the configuration in the start line to what differs from the defaults; machines get the whole of it.
func brief(event map[string]any) error {
	c, ok := event["config"].(map[string]any)
	if !ok {
		return nil
	}
	delete(event, "config")
	for path, usual := range config.Default().Masked().All() {
		if value, ok := c[path]; ok && value != usual {
			event[path] = value
		}
	}
	if hash, ok := event["pack_hash"].(string); ok {
		event["pack_hash"] = fmt.Sprintf("%.12s", hash)
	}
	return nil
}
