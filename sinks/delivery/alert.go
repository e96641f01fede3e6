package delivery

import (
	"encoding/json"
	"strings"
	"time"

	"ebb/pipeline"
)

// Alert is a published alert on its way to a destination.
type Alert struct {
	ID      string    // a repeat of the alert has the same
	Body    []byte    // byte for byte as it was published
	Expires time.Time // from then on nobody need act on it; zero: it ends an episode, which is worth knowing at any time

	said said
}

// longestID bounds what is taken for the id of an alert: ebb's have 32 digits.
const longestID = 256

// read finds in a record what delivering it takes. The body aliases the record. ok is false where the record is no
// alert.
func read(r *pipeline.Record) (a Alert, ok bool) {
	var all struct {
		ID        string    `json:"id"`
		ExpiresAt time.Time `json:"expires_at"`
		said
	}
	if json.Unmarshal(r.Value, &all) != nil || !plain(all.ID) {
		return a, false
	}
	return Alert{ID: all.ID, Body: r.Value, Expires: all.ExpiresAt, said: all.said}, true
}

// plain reports whether an id may stand in a header and in a text to sign, which a dot takes apart.
func plain(id string) bool {
	return id != "" && len(id) <= longestID &&
		!strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || r == '.' })
}

// ends reports whether the alert is the end of an episode.
func (a *Alert) ends() bool { return a.Expires.IsZero() }

// expired reports whether nobody need act on the alert any more.
func (a *Alert) expired(now time.Time) bool { return !a.ends() && !now.Before(a.Expires) }
