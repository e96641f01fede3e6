package redisstore

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
	"ebb/pipeline/secure"
)

// access is how connections are made and log in. As a hook of the clients it detects a refused login, and prevents
// further attempts for a while.
type access struct {
	credentials *secure.Credentials
	dialer      *secure.Dialer
}

var _ redis.Hook = (*access)(nil)

func newAccess(c *secure.Credentials) *access {
	return &access{credentials: c, dialer: secure.NewDialer(c, nil, nil)}
}

// login gives a new connection the current user and password.
func (a *access) login(context.Context) (username, password string, err error) {
	username, password = a.credentials.Login()
	return username, password, nil
}

// admitted is called for a connection that has logged in.
func (a *access) admitted(context.Context, *redis.Conn) error {
	a.dialer.Admitted()
	return nil
}

// DialHook implements [redis.Hook].
func (a *access) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return next(ctx, network, address)
	}
}

// ProcessHook implements [redis.Hook].
func (a *access) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { return a.look(next(ctx, cmd)) }
}

// ProcessPipelineHook implements [redis.Hook].
func (a *access) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds) // of the first command alone
		_ = a.look(failure(cmds, err))
		return err
	}
}

// look notes a refused login, and passes the error on.
func (a *access) look(err error) error {
	var refused redis.Error
	if errors.As(err, &refused) && refusesLogin(refused) {
		a.dialer.Refused(deniedLogin("log in", err, refused.Error()))
	}
	return err
}

// protected begins the answer of a server in protected mode, which has no password and is asked from elsewhere.
const protected = "DENIED"

// refusesLogin reports whether the server refuses the credentials: no password, a wrong one, or one where none is set.
func refusesLogin(refused redis.Error) bool {
	for _, begin := range []string{"NOAUTH", "WRONGPASS", "ERR AUTH", "ERR Client sent AUTH", "ERR invalid password", protected} {
		if strings.HasPrefix(refused.Error(), begin) {
			return true
		}
	}
	return false
}

// deniedLogin names the server that refuses the login. A refusal by a Sentinel is recognised by the library's wording.
func deniedLogin(op string, err error, answer string) *pipeline.Denied {
	if strings.Contains(err.Error(), "all sentinels") {
		return &pipeline.Denied{
			Code: secure.CodeLogin, Detail: op + ": Sentinel answered " + answer,
			Do: "check redis.sentinel.username and redis.sentinel.password_file, and start ebb again",
		}
	}
	if strings.HasPrefix(answer, protected) {
		return &pipeline.Denied{
			Code: secure.CodeLogin, Detail: op + ": Redis answered " + strings.SplitAfterN(answer, ".", 2)[0],
			Do: "give the server a password (requirepass, or an ACL), and set it as redis.password_file",
		}
	}
	return &pipeline.Denied{
		Code: secure.CodeLogin, Detail: op + ": Redis answered " + answer,
		Do: "check redis.username and the password (redis.password_file is read again without a restart)",
	}
}
