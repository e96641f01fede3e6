package scoringtest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ebb/scoring/pack"
)

// Troubles is a pack with a kind whose openings have ends of their own, a kind with a single end, and one that ends
// with a visit.
var Troubles = []string{
	"signals:",
	"  ticket: {types: [ticket]}",
	"  solved: {types: [solved]}",
	"  dispute: {types: [dispute]}",
	"  decided: {types: [decided]}",
	"  outage: {types: [outage]}",
	"  over: {types: [over]}",
	"  unpaid: {types: [unpaid]}",
	"  final: {types: [final]}",
	"  paid: {types: [paid]}",
	"  leave: {types: [leave]}",
	"  buy: {types: [buy]}",
	"tiers: {watch: 97, at_risk: 98, critical: 99}", // no score of theirs reaches these
	"kinds:",
	"  service_failure:",
	"    opens:",
	"      - {signal: ticket, floor: 97.9, code: ticket_escalated, closes: [solved]}",
	"      - {signal: dispute, floor: 98, code: dispute_open, closes: [decided]}",
	"      - {signal: outage, floor: 99, code: incident, closes: [over]}",
	"    expires: 30d",
	"  involuntary: {opens: [{signal: unpaid, floor: 97, code: payment_failed}, {signal: final, floor: 99, code: " +
		"payment_failed_finally}], closes: [paid], expires: 30d}",
	"  explicit: {opens: [{signal: leave, floor: 99.5, code: cancellation_requested}], closes: [buy], expires: 60d}",
}

// Lapsing is the pack of Troubles with tiers that a score reaches.
func Lapsing() []string {
	return slices.DeleteFunc(slices.Clone(Troubles), func(line string) bool { return strings.HasPrefix(line, "tiers") })
}

// PackOf is a pack with these lines of YAML after the required parts of a pack.
func PackOf(tb testing.TB, version string, lines ...string) *pack.Pack {
	tb.Helper()
	text := "name: trial\nversion: " + version + "\nhorizon: 30d\nactivity: [buy, view]\n" + strings.Join(
		lines,
		"\n",
	) + "\n"
	return Must(pack.Load("trial.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{}))
}

// LoadText reads text as a pack's file.
func LoadText(text string, o pack.Overrides) (*pack.Pack, error) {
	return pack.Load("./my.yaml", func(path string) ([]byte, error) {
		if path != "./my.yaml" {
			return nil, errors.New("asked for " + path)
		}
		return []byte(text), nil
	}, o)
}
