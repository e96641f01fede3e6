package view

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/terminal"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
)

// Alert holds the parts of an alert that people are shown.
type Alert struct {
	Tenant     string    `json:"tenant"`
	Customer   string    `json:"customer"`
	Kind       string    `json:"kind"`
	Transition string    `json:"transition"`
	Tier       string    `json:"tier"`
	Risk       float64   `json:"risk_score"`
	Time       time.Time `json:"time"`
	Arm        string    `json:"arm"`
	Reasons    []struct {
		Code string `json:"code"`
		Text string `json:"text"`
	} `json:"reasons"`
}

// AlertLine writes alerts for people, a line each, with columns that widen as needed.
type AlertLine struct {
	Screen   terminal.Screen
	customer int // width of that column so far
}

// Widths of columns, in characters.

const (
	leastCustomer  = 6
	mostCustomer   = 24
	narrowCustomer = 14
)

// Of is the line of one published alert. Anything else is shown unchanged.
func (l *AlertLine) Of(value []byte) string {
	var v Alert
	if err := json.Unmarshal(value, &v); err != nil || v.Customer == "" || v.Transition == "" {
		return l.fit("no alert: ", terminal.Printable(advice.Clip(value, 200)))
	}
	who := terminal.FullName(v.Tenant, v.Customer)
	narrow, most := l.Screen.Terminal && l.Screen.Width < terminal.Wide, mostCustomer
	if narrow {
		most = narrowCustomer
	}
	l.customer = max(l.customer, leastCustomer, min(text.StringWidth(who), most))
	if l.Screen.Terminal {
		who = text.Snip(who, l.customer, "…")
	}
	reason := v.reason()
	if narrow {
		return l.fit(
			fmt.Sprintf("%s %s %s %s ", v.Time.UTC().Format(time.DateOnly), l.tinted(&v, fmt.Sprintf("%-9s", v.Transition)),
				fmt.Sprintf("%2.0f", v.Risk), text.Pad(who, l.customer, ' ')),
			reason,
		)
	}
	return l.fit(fmt.Sprintf("%s  %-9s  %s  %5.1f  %s  ", v.Time.UTC().Format("2006-01-02 15:04"), v.Transition,
		l.tinted(&v, fmt.Sprintf("%-8s", v.Tier)), v.Risk, text.Pad(who, l.customer, ' ')), reason)
}

// reason is why the alert is there, and what became of others where that is known.
func (v *Alert) reason() string {
	if len(v.Reasons) == 0 {
		return ""
	}
	reason := v.Reasons[0].Text
	if v.Arm == alert.HeldOut.String() {
		reason = "held out: " + reason
	}
	for _, r := range v.Reasons[1:] {
		if r.Code == pack.ReasonSuchSilences {
			reason += "; " + r.Text
		}
	}
	return terminal.Printable(reason)
}

// fit puts the reason after the columns, cut to the terminal's width.
func (l *AlertLine) fit(columns, reason string) string {
	if l.Screen.Terminal {
		reason = text.Snip(reason, max(10, l.Screen.Width-text.StringWidthWithoutEscSequences(columns)), "…")
	}
	return strings.TrimRight(columns+reason, " ")
}

// tinted colours s by what the alert means: red and yellow for a risk, green for a customer who is back.
func (l *AlertLine) tinted(v *Alert, s string) string {
	switch {
	case v.Transition == "recovered" || v.Transition == "converted" || v.Transition == "corrected":
		return l.Screen.Paint(text.Colors{text.FgGreen}, s)
	case v.Tier == "critical":
		return l.Screen.Paint(text.Colors{text.FgRed, text.Bold}, s)
	case v.Tier == "at_risk":
		return l.Screen.Paint(text.Colors{text.FgYellow}, s)
	}
	return s
}
