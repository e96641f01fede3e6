package redisstore

import (
	"fmt"

	"ebb/pipeline"
)

const tokenBytes = len(pipeline.Token{})

// appendMeta appends the value of the meta key to dst: the token, then the meta.
func appendMeta(dst []byte, token pipeline.Token, m *pipeline.Meta) []byte {
	return pipeline.AppendMeta(append(dst, token[:]...), m)
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
	if m, err = pipeline.ReadMeta([]byte(v[tokenBytes:])); err != nil {
		return m, false, fmt.Errorf("decode meta: %w", err)
	}
	return m, true, nil
}
