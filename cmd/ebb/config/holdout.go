package config

import (
	"cmp"
	"slices"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline"
)

// Holdout is which customers nobody acts on, so that what acting does can be measured.
type Holdout struct {
	Enabled bool
	Share   float64       // of customers
	Salt    string        // "": the group's name
	Epoch   time.Duration // of event time, after which each customer's arm is drawn anew
}

// Suffixes of the topics of a holdout.
const (
	holdoutSuffix  = ".holdout"
	audienceSuffix = ".audience"
)

// nameHoldout gives the topics of a holdout their defaults. What goes to the first would go to that of alerts, whose name
// it has. Who is held out differs by group.
func (k *Kafka) nameHoldout() {
	if k.Holdout == "" {
		k.Holdout = k.Alerts + holdoutSuffix
	}
	if k.Audience == "" {
		k.Audience = topicOf(k.Group, audienceSuffix)
	}
}

// decides is the part of what decides.
func (h *Holdout) decides(group string) pipeline.Holdout {
	if !h.Enabled {
		return pipeline.Holdout{}
	}
	return pipeline.Holdout{
		Share: pipeline.ShareOf(h.Share), Salt: cmp.Or(h.Salt, group), EpochMillis: h.Epoch.Milliseconds(),
	}
}

// HoldoutTopics are the topics that a holdout needs: that of its alerts, and that of customers' arms; none where there is
// no holdout.
func (c *Config) HoldoutTopics() []string {
	if !c.Holdout.Enabled {
		return nil
	}
	return []string{c.Kafka.Holdout, c.Kafka.Audience}
}

func (h *Holdout) settings() []setting {
	return []setting{
		{
			path:  "holdout.enabled",
			value: boolValue{&h.Enabled},
			doc: "Hold customers out: alerts about a share of them, drawn by chance, go to `kafka.holdout` in place of " +
				"`kafka.alerts`, so that nobody acts on them and the difference shows what acting is worth. Each customer's arm " +
				"goes to `kafka.audience`. [Holdout and uplift](holdout.md).",
		},
		{
			path:  "holdout.share",
			value: shareValue{&h.Share},
			doc: "Part of the customers that is held out, above 0 and at most 0.5. More: an effect shows sooner, and more " +
				"customers are left alone. Change it only at the end of an epoch: those who are held out change with it.",
		},
		{
			path:  "holdout.salt",
			value: textValue{&h.Salt},
			def:   "<kafka.group>",
			doc: "Text that the draw depends on. Groups whose customers are the same need the same one, so that who is held " +
				"out in one is in all. Another one begins another experiment.",
		},
		{
			path:  "holdout.epoch",
			value: durationValue{&h.Epoch, advice.Day, 3650 * advice.Day},
			doc: "Span of event time, counted from 1970, after which each customer's arm is drawn anew, so that nobody is left " +
				"alone for ever. At least as long as the pack's horizon, within which outcomes count, and better several times.",
		},
	}
}

// checkHoldout checks what a holdout needs.
func (l *loader) checkHoldout(c *Config) {
	h, k := &c.Holdout, &c.Kafka
	if !h.Enabled {
		return
	}
	if pipeline.ShareOf(h.Share) == 0 || h.Share > 0.5 {
		l.problem("holdout.share", "must lie above 0, and be at most 0.5, so that most customers are acted on")
	}
	if len(h.Salt) > maxGroup {
		l.problem("holdout.salt", "must be at most %d bytes long", maxGroup)
	}
	l.checkTopic("kafka.holdout", k.Holdout, MaxTopic)
	l.checkTopic("kafka.audience", k.Audience, MaxTopic)
	others := []string{k.Input, k.Alerts, k.DLQ(), k.Control, k.Packs, k.Decisions, k.Shadow, k.UndeliveredTopic()}
	for _, own := range []struct{ path, name string }{{"kafka.holdout", k.Holdout}, {"kafka.audience", k.Audience}} {
		if slices.Contains(others, own.name) {
			l.contradiction(own.path, "holdout.enabled", "must be a topic of its own: %s is used for something else", own.name)
		}
		others = append(others, own.name)
	}
}
