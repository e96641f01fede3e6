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
	"TRYAGAIN", "MOVED", "ASK", "EXECABORT Transaction discarded because of previous errors",
}

// unready are the errors of a server that answers and does not work at present, by how they begin.
var unready = [...]struct{ begins, code, do string }{
	{"LOADING", "redis_loading", "wait: it reads its data after a start"},
	{
		"CLUSTERDOWN", "redis_cluster_down",
		"bring back the nodes that serve the missing slots: redis-cli --cluster check HOST:PORT",
	},
	{
		"MISCONF", "redis_cannot_persist",
		"see its log and the room on its disk: it takes no writes until it can save again",
	},
	{
		"READONLY", "redis_readonly",
		"it has become a replica: set redis.addresses to the primary, or to an address that follows it",
	},
	{"MASTERDOWN", "redis_primary_lost", "it is a replica that has lost its primary: bring that back, or promote one"},
	{"NOREPLICAS", "redis_too_few_replicas", "bring back its replicas, or lower min-replicas-to-write"},
	{"BUSY", "redis_busy", "a script of somebody else keeps it: redis-cli SCRIPT KILL, or FUNCTION KILL"},
	{
		"ERR max number of clients", "redis_clients_full",
		"raise maxclients, or find who keeps so many connections: redis-cli CLIENT LIST",
	},
}

// failure is why a pipeline failed: the first refusal of any of its commands, whichever it was. EXEC alone says of a
// transaction only that something before it was refused, and a server that closes the connection has said why before.
// nil: every command was answered. A value that is not there is an answer.
func failure(cmds []redis.Cmder, err error) error {
	var first error
	for _, c := range cmds {
		if refused := redis.Error(nil); errors.As(c.Err(), &refused) && !errors.Is(refused, redis.Nil) {
			if first == nil {
				first = c.Err()
			}
			if !strings.HasPrefix(refused.Error(), discarded) {
				return c.Err()
			}
		}
	}
	switch {
	case first != nil:
		return first
	case errors.Is(err, redis.Nil):
		return nil
	}
	return err
}

// discarded begins EXEC's answer where a command before it was refused.
const discarded = "EXECABORT Transaction discarded because of previous errors"

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
	for _, u := range unready {
		if strings.HasPrefix(msg, u.begins) {
			return &pipeline.Unready{Code: u.code, Detail: op + ": Redis answered " + msg, Do: u.do}
		}
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
