package deliverer

import (
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"strings"
	"time"

	"ebb/sinks/delivery"
)

// sampleText is a raised alert, with the parts in braces left open.
//
//go:embed sample.json
var sampleText string

// Sample is an alert of a customer who does not exist, raised just now, under an id of its own.
func Sample(now time.Time) delivery.Alert {
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	day := func(days int) string { return now.AddDate(0, 0, days).UTC().Format("2006-01-02T15:04:05Z") }
	name := hex.EncodeToString(id[:])
	body := strings.NewReplacer("{id}", name, "{now}", day(0), "{began}", day(-50), "{respond}", day(7),
		"{expires}", day(90)).Replace(sampleText)
	return delivery.Alert{ID: name, Body: []byte(body), Expires: now.AddDate(0, 0, 90)}
}
