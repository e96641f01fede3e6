package redisstore

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// errReply means that an answer is not one that the protocol has for the request.
var errReply = errors.New("answer not understood")

// replies reads and cuts off Redis's answers (RESP 2) at the front of b. It never copies.
type replies struct{ b []byte }

// refusal is an error in an answer of Redis.
type refusal string

var _ redis.Error = refusal("")

// Error is the server's text, code first.
func (r refusal) Error() string { return string(r) }

// RedisError marks it as an answer of the server.
func (refusal) RedisError() {}

// array reads the head of an array and returns how many answers belong to it.
func (r *replies) array() (int, error) {
	n, err := r.head('*')
	if err == nil && n < 0 {
		return 0, errReply
	}
	return n, err
}

// bulk reads a string; nil: there is none. It aliases b.
func (r *replies) bulk() ([]byte, error) {
	n, err := r.head('$')
	if err != nil || n < 0 {
		return nil, err
	}
	if len(r.b)-2 < n || r.b[n] != '\r' || r.b[n+1] != '\n' {
		return nil, errReply
	}
	v := r.b[:n:n]
	r.b = r.b[n+2:]
	return v, nil
}

// head reads a line of kind and its number, which is -1 for nil.
func (r *replies) head(kind byte) (int, error) {
	end := bytes.IndexByte(r.b, '\n')
	if end < 2 || r.b[end-1] != '\r' {
		return 0, errReply
	}
	line := r.b[:end-1]
	r.b = r.b[end+1:]
	switch line[0] {
	case '-':
		return 0, refusal(line[1:])
	case kind:
		n, err := strconv.Atoi(string(line[1:]))
		if err != nil || n < -1 {
			return 0, errReply
		}
		return n, nil
	}
	return 0, errReply
}
