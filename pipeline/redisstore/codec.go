package redisstore

import (
	"encoding/json"
	"fmt"

	"ebb/pipeline"
)

const tokenBytes = len(pipeline.Token{})

// appendMeta appends the value of the meta key to dst: the token, then the meta as JSON.
func appendMeta(dst []byte, token pipeline.Token, m *pipeline.Meta) ([]byte, error) {
	j, err := json.Marshal(m)
	if err != nil {
		return dst, fmt.Errorf("encode meta: %w", err)
	}
	return append(append(dst, token[:]...), j...), nil
}

// readMeta decodes the value of the meta key. exists is false where a claim has written a token and no commit has
// followed.
func readMeta(v string) (m pipeline.Meta, exists bool, err error) {
	switch {
	case v == "" || len(v) == tokenBytes:
		return m, false, nil
	case len(v) < tokenBytes:
		return m, false, fmt.Errorf("%d bytes are too few", len(v))
	}
	if err := json.Unmarshal([]byte(v[tokenBytes:]), &m); err != nil {
		return pipeline.Meta{}, false, fmt.Errorf("decode meta: %w", err)
	}
	return m, true, nil
}
