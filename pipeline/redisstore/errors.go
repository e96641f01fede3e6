package redisstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
	"ebb/pipeline/secure"
)

// errUnclaimed is what Commit returns before the first Claim and after Close.
var errUnclaimed = fmt.Errorf("%w: not claimed", pipeline.ErrFenced)

// errReplaced is what Commit returns when meta holds another token.
var errReplaced = fmt.Errorf("%w: redis holds another token", pipeline.ErrFenced)

// passing are the errors of a server that will work later, or elsewhere.
var passing = [...]string{
	"MISCONF", "READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "TRYAGAIN", "MOVED", "ASK", "BUSY",
	"ERR max number of clients", "EXECABORT Transaction discarded because of previous errors",
}

// classify turns an error of the client into one of the classes of pipeline; op names the operation.
func classify(op string, err error) error {
	var refused redis.Error
	if err == nil || !errors.As(err, &refused) {
		return unavailable(op, err)
	}
	if refusesLogin(refused) {
		return deniedLogin(op, err, refused.Error())
	}
	msg := strings.TrimPrefix(refused.Error(), "EXECABORT Transaction discarded because of: ")
	code, _, _ := strings.Cut(msg, " ")
	switch code {
	case "OOM":
		return &pipeline.HardStop{
			Code:   "redis_full",
			Detail: op + ": Redis has reached maxmemory and takes no more writes; nothing was applied",
			Do:     "raise maxmemory or move other data away, then start ebb again",
		}
	case "NOPERM":
		return &pipeline.Denied{
			Code: secure.CodePermission, Detail: op + ": Redis answered " + msg,
			Do: "allow it to redis.username; docs/security.md has the whole ACL",
		}
	case "WRONGTYPE":
		return damaged(op + ": a key of this partition holds something else: " + msg)
	}
	for _, p := range passing {
		if strings.HasPrefix(msg, p) {
			return unavailable(op, err)
		}
	}
	if code == "ERR" {
		return &pipeline.HardStop{
			Code:   "redis_refused",
			Detail: op + ": Redis answered " + msg,
			Do:     "check that the address leads to Redis 6.2 or later itself; a proxy in between has to pass MULTI and WATCH",
		}
	}
	return unavailable(op, err)
}

func unavailable(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: redis %w: %w", op, pipeline.ErrUnavailable, err)
}

// unreadable is a meta that cannot be read: of a newer build, whose state is sound, or damaged.
func unreadable(op, key string, err error) error {
	err = fmt.Errorf("%s: read %s: %w", op, key, err)
	if errors.Is(err, pipeline.ErrMetaVersion) {
		return pipeline.StateUnreadable(err)
	}
	return damaged(err.Error())
}

func damaged(detail string) error {
	return &pipeline.HardStop{
		Code:   "redis_damaged",
		Detail: detail,
		Do:     "find what else writes to this Redis; then restore a backup, any age will do, or run: ebb rebuild --from earliest",
	}
}
