package view

import (
	"fmt"
	"time"

	"ebb/cmd/ebb/decisions"
	"ebb/cmd/ebb/terminal"
	"ebb/sinks/format"
)

// DecisionLine writes alerts and lines of the ledger for people, a line each.
type DecisionLine struct{ AlertLine }

// Of is the line of one.
func (l *DecisionLine) Of(f *decisions.Found) string {
	if f.Decision == nil {
		return l.AlertLine.Of(f.Value)
	}
	d := f.Decision
	columns := fmt.Sprintf("%s  %-9s  %s  ",
		f.Time.UTC().Format("2006-01-02 15:04"), d.Outcome, terminal.FullName(d.Tenant, d.Customer))
	return l.fit(columns, terminal.Printable(Decided(d)))
}

// Decided is a line of the ledger as a sentence.
func Decided(d *format.Decision) string {
	what := fmt.Sprintf("%s %s at tier %s", d.Kind, d.Transition, d.Tier)
	if d.Tier == "" {
		what = fmt.Sprintf("%s %s", d.Kind, d.Transition)
	}
	why := wordsOf(whyNot, d.Reason)
	switch d.Outcome {
	case "held":
		if d.ReviewAt == nil {
			return what + " is held: " + why
		}
		return what + " is held, to be decided anew at " + minuteOf(*d.ReviewAt) + ": " + why + place(d)
	case "released":
		return what + ", was held since " + minuteOf(d.DecidedAt) + ": " + why
	case "withdrawn":
		return what + ", held since " + minuteOf(d.DecidedAt) + ", never goes out: " + wordsOf(ends, d.Ended)
	}
	return what + " never goes out: " + why
}

// place is where a held raise stands among those that wait for the same budget.
func place(d *format.Decision) string {
	switch {
	case d.Place == 0:
		return ""
	case d.ExpiresAt == "":
		return fmt.Sprintf(", number %d of its partition", d.Place)
	}
	return fmt.Sprintf(", number %d of its partition, out of date from %s", d.Place, minuteOf(d.ExpiresAt))
}

// whyNot are the reasons of stages, in words.
var whyNot = map[string]string{ //nolint:gochecknoglobals // a table
	"history":  "it follows from history alone",
	"storm":    "far more lapses fell due in its hour than usual",
	"budget":   "the day's budget of its playbook's owner, or intent, is not enough for all",
	"unraised": "the episode's raise did not go out",
	"silence":  "a silence matches it",
}

// ends are the ends of what was held, in words.
var ends = map[string]string{ //nolint:gochecknoglobals // a table
	"recovered": "the customer is back",
	"corrected": "the customer was not silent for long enough",
	"expired":   "its time is over",
	"churned":   "the customer has done nothing for a horizon",
	"gone":      "the customer is gone for good",
	"covered":   "another alert of the customer took its place",
	"erased":    "the customer is erased",
	"unseen":    "less the time in which its source was stalled, the silence is too short",
}

// wordsOf is what a name stands for; a name that this build does not know stands for itself.
func wordsOf(table map[string]string, name string) string {
	if words, ok := table[name]; ok {
		return words
	}
	return name
}

// minuteOf is the minute of a time as published.
func minuteOf(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return at.UTC().Format("2006-01-02 15:04")
}
