package format

import (
	"encoding/json"

	"ebb/pipeline"
	"ebb/scoring/alert"
)

// Decision is a line of the ledger as it is published: what became of a decision that is no alert at once. Its fields are
// a contract (docs/decision.schema.json): new ones are added, existing ones never change.
type Decision struct {
	AlertID    string  `json:"alert_id"` // of the alert that it is, or would have been
	EpisodeID  string  `json:"episode_id"`
	Tenant     string  `json:"tenant"`
	Customer   string  `json:"customer"`
	Kind       string  `json:"kind"`
	Episode    uint32  `json:"episode"`
	Sequence   uint32  `json:"sequence"`
	Transition string  `json:"transition"`
	Tier       string  `json:"tier"`
	Priority   int     `json:"priority"`
	Outcome    string  `json:"outcome"`
	Reason     string  `json:"reason"`
	Ended      string  `json:"ended,omitempty"` // withdrawn: by what
	DecidedAt  string  `json:"decided_at"`
	Time       string  `json:"time"`
	ReviewAt   *string `json:"review_at"`            // held: when it is tried again; null: that is not known, or it is not held
	Place      uint32  `json:"place,omitempty"`      // held for a budget: among those that wait for it in the partition
	ExpiresAt  string  `json:"expires_at,omitempty"` // held for a budget: when it is out of date
}

// decision makes a record of the ledger. It is keyed by customer, as alerts are, and carries the event time of the outcome.
func (r *Renderer) decision(e *pipeline.Entry) pipeline.Outgoing {
	d := e.Ruling
	tenant, customer := pipeline.SplitKey(e.Key)
	about := d.About(tenant, customer)
	out := Decision{
		AlertID:    about.ID().String(),
		EpisodeID:  about.EpisodeID().String(),
		Tenant:     string(tenant),
		Customer:   string(customer),
		Kind:       d.Kind.String(),
		Episode:    d.Episode,
		Sequence:   d.Sequence,
		Transition: d.Transition.String(),
		Tier:       d.Tier.String(),
		Priority:   d.Priority,
		Outcome:    d.Outcome.String(),
		Reason:     d.Reason,
		Ended:      d.End,
		DecidedAt:  timeText(d.Decided),
		Time:       timeText(d.At),
		Place:      d.Place,
	}
	if d.Expires != 0 {
		out.ExpiresAt = timeText(d.Expires)
	}
	if d.Review != 0 {
		at := timeText(d.Review * pipeline.MinuteMillis)
		out.ReviewAt = &at
	}
	value, err := json.Marshal(&out)
	if err != nil {
		panic("BUG: a line of the ledger is plain texts and numbers: " + err.Error())
	}
	return pipeline.Outgoing{Topic: r.Decisions, Partition: -1, Key: customer, Value: value, Timestamp: d.At}
}

// timeText is a time as alerts have it.
func timeText(ms int64) string { return string(alert.AppendTime(nil, ms)) }
