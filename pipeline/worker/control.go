package worker

import (
	"time"

	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/line"
	"ebb/scoring/pack"
)

// control makes the line apply the control records before the batch. False: the batch has to wait for a sweep.
func (o *owner) control(b *line.Batch) bool {
	var configured *pack.Pack
	if b.Fetched.Next > o.line.Next() { // else it holds no record, and few kinds wait for none
		configured = o.configured(o.line.Next())
	}
	applied, why, ok := o.line.ApplyControls(configured)
	if !ok {
		return false
	}
	for i := range applied {
		o.asking.answered(applied[i].Answers())
		switch c := &applied[i]; c.Kind {
		case pipeline.ControlPack:
			o.cfg.Logger.Info().Stringer("pack", c.Pack).Int64("offset", o.line.Next()).Msg("pack begins")
		case pipeline.ControlSettings:
			o.cfg.Logger.Info().EmbedObject(settingsLog{c.Settings}).Int64("offset", o.line.Next()).Msg("settings begin")
		case pipeline.ControlTime: // of a replay
		case pipeline.ControlHistory:
			o.cfg.Logger.Info().Int64("offset", o.line.Next()).Int64("until", c.Until).
				Msg("first start: what is in the input now is history, it builds state and raises nothing")
		case pipeline.ControlRelease:
			o.cfg.Logger.Debug().Int64("offset", o.line.Next()).Stringer("reason", c.Release.Of()).Int("count", c.Release.Count).
				Msg("held raises are released")
		case pipeline.ControlStorm: // of a replay
		case pipeline.ControlSilence:
			o.tellSilence(&c.Silence)
		}
	}
	if configured != nil {
		o.showPack()
		o.line.ReadAgain(b)
		o.showWaiting(configured, why)
	}
	return true
}

// showWaiting logs, once per change, why the configured pack does not apply; "": it does.
func (o *owner) showWaiting(configured *pack.Pack, why string) {
	waits := waiting{}
	if why != "" {
		waits = waiting{why: why, pack: configured.Hash, active: o.line.Pack().Hash}
	}
	if waits == o.waits {
		return
	}
	o.waits = waits
	o.cfg.Metrics.packWaits(o.cfg.Line.Identity.Partition, waits.why)
	if waits.why == "" {
		return
	}
	o.cfg.Logger.Warn().
		Str("reason", waits.why).
		Stringer("configured", pipeline.RefOf(configured)).
		Stringer("active", pipeline.RefOf(o.line.Pack())).
		Str("do", packAdvice[waits.why]).
		Msg("the configured pack does not apply")
}

// waiting is a configured pack that does not apply, and why.
type waiting struct{ why, pack, active string }

// packAdvice is what to do for a configured pack to apply.
var packAdvice = map[string]string{ //nolint:gochecknoglobals // a table
	line.PackOlder:   "raise its version to activate it",
	line.PackOther:   "put the old pack back; to score with another one from the start, use a new kafka.group",
	line.PackTooMany: "this partition has had 256 packs; ebb rebuild --from earliest begins to count anew",
}

// settingsLog writes settings into a log line.
type settingsLog struct{ pipeline.Settings }

// MarshalZerologObject writes the fields.
func (s settingsLog) MarshalZerologObject(e *zerolog.Event) {
	millis := func(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
	e.Int("rules", s.Rules).
		Int("guard", s.Guard).
		Int("storm", s.Storm).
		Stringer("review", millis(s.ReviewMillis)).
		Str("budgets", s.Budgets).
		Int("max_record_bytes", s.MaxRecordBytes).
		Bool("mapping", s.Mapping != "").
		Str("zone", s.Zone).
		Stringer("lateness", millis(s.LatenessMillis)).
		Stringer("retention", millis(s.RetentionMillis))
}
