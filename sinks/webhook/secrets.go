package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Secrets sign alerts. There are several while receivers change from one to the next.
type Secrets struct {
	file *followed[[]*standardwebhooks.Webhook]
}

// OpenSecrets reads a file of secrets, one a line. It is read again when it changes.
func OpenSecrets(path string, log zerolog.Logger) (*Secrets, error) {
	f, err := follow(path, log, parseSecrets)
	if err != nil {
		return nil, err
	}
	return &Secrets{f}, nil
}

// prefix is what a secret begins with, and the bounds of its bytes; both are the standard's.
const (
	prefix    = "whsec_"
	leastKey  = 24
	mostKey   = 64
	mostAtAll = 10 // secrets in use: receivers look through all signatures
)

// parseSecrets reads whsec_ and base64, one a line. No error holds a part of a secret.
func parseSecrets(text string) (all []*standardwebhooks.Webhook, err error) {
	for number, line := range entries(text) {
		encoded, found := strings.CutPrefix(line, prefix)
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !found || err != nil || len(key) < leastKey || len(key) > mostKey {
			return nil, fmt.Errorf("line %d: want %s and %d to %d bytes in base64", number, prefix, leastKey, mostKey)
		}
		w, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		all = append(all, w)
	}
	switch {
	case len(all) == 0:
		return nil, errors.New("holds no secret")
	case len(all) > mostAtAll:
		return nil, fmt.Errorf("holds %d secrets, at most %d are used", len(all), mostAtAll)
	}
	return all, nil
}

// sign is the value of webhook-signature: one signature for each secret, in the order of the file.
func (s *Secrets) sign(id string, at time.Time, body []byte) (string, error) {
	all := s.file.current()
	signatures := make([]string, len(all))
	for i, w := range all {
		signature, err := w.Sign(id, at, body)
		if err != nil {
			return "", err
		}
		signatures[i] = signature
	}
	return strings.Join(signatures, " "), nil
}
