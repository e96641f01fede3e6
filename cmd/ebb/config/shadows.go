package config

import (
	"maps"
	"slices"
	"strings"
)

// shadowInfix stands between the main group's name and a shadow's.
const shadowInfix = ".shadow."

// maxShadowName bounds the name of a shadow, in bytes, so that it fits into tables.
const maxShadowName = 32

// ShadowNames are the names of the configured shadows, in order.
func (c *Config) ShadowNames() []string { return slices.Sorted(maps.Keys(c.Shadows)) }

// ShadowGroup is the group of the shadow of this name.
func (k *Kafka) ShadowGroup(name string) string { return k.Group + shadowInfix + name }

// Shadow is the configuration of the shadow of this name: the same input under a group and a pack of its own.
//
// The shadow's alerts go to the topic of shadows. It begins with the oldest record, whatever the main group's start,
// because without history there is nothing to compare, and raises what it finds there, and however much falls due at once,
// or on a day, because nobody acts on it; for that reason it holds no customer out. The main group alone stops for poison in
// the input; a shadow never does. Overrides of a pack
// apply to the main pack only.
func (c *Config) Shadow(name string) *Config {
	s := *c
	s.Kafka.Group, s.Kafka.Alerts, s.Kafka.Start = c.Kafka.ShadowGroup(name), c.Kafka.Shadow, "earliest"
	s.Pack, s.Shadows = Pack{Name: c.Shadows[name]}, nil
	s.Start.History, s.Storm.Breaker = HistoryNone, BreakerOff
	s.Input.PoisonBreaker, s.Holdout.Enabled = 0, false
	s.Budgets = nil
	s.HTTP.Listen = ""
	return &s
}

// Topics are all topics that ebb reads or writes.
func (c *Config) Topics() []string {
	k := &c.Kafka
	all := append([]string{k.Input, k.Alerts, k.DLQ(), k.Packs, k.Decisions}, k.AllControl()...)
	if len(c.Shadows) > 0 {
		all = append(all, k.Shadow)
	}
	return append(all, c.HoldoutTopics()...)
}

// checkShadows checks names, and that the shadows' alerts go to a topic that nobody acts on.
func (l *loader) checkShadows(c *Config) {
	if len(c.Shadows) == 0 {
		return
	}
	k := &c.Kafka
	for _, name := range c.ShadowNames() {
		switch {
		case !LegalShadow(name):
			l.contradiction(
				"shadows."+name,
				"shadows",
				"a name has 1 to %d lower-case letters, digits and '-': %q",
				maxShadowName,
				name,
			)
		case len(k.ShadowGroup(name)) > maxGroup:
			l.contradiction(
				"shadows."+name,
				"shadows",
				"its group would be %s, of more than %d bytes",
				k.ShadowGroup(name),
				maxGroup,
			)
		}
		if c.Shadows[name] == "" {
			l.contradiction("shadows."+name, "shadows", "must name a pack")
		}
	}
	l.checkTopic("kafka.shadow", k.Shadow, MaxTopic)
	if slices.Contains([]string{k.Input, k.Alerts, k.DLQ(), k.Control, k.Packs}, k.Shadow) {
		l.contradiction(
			"kafka.shadow",
			"shadows",
			"must be a topic of its own: %s is the input's, the alerts', that of quarantined or control records, or the packs'",
			k.Shadow,
		)
	}
}

func LegalShadow(name string) bool {
	return name != "" && len(name) <= maxShadowName && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}
