//go:build !integration

package kafkawire_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/linetest/authority"
	"ebb/pipeline/secure"
)

// TestClientOverTLSWithLogin writes and reads through TLS after logging in, and says what is wrong with a login that
// fails.
func TestClientOverTLSWithLogin(t *testing.T) {
	ca := authority.New(t)
	ca.Issue(t, "server")
	cluster := fake(
		t,
		kfake.TLS(ca.Server(t, "server", false)),
		kfake.EnableSASL(),
		kfake.Superuser(
			"PLAIN",
			"ann",
			"secret",
		),
		kfake.Superuser("SCRAM-SHA-256", "bob", "secret"),
		kfake.SeedTopics(1, "in", "out"),
	)
	use := func(mechanism, user, password string) error {
		credentials, problems := secure.Open(secure.Source{
			Server:   "Kafka",
			Keys:     kafkawire.Keys(),
			TLS:      true,
			CAFile:   ca.Path("ca.pem"),
			Username: user,
			Password: password,
			ReadFile: os.ReadFile,
		})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		c, err := kafkawire.Open(kafkawire.Config{
			Brokers:        cluster.ListenAddrs(),
			Topics:         []string{"in", "out"},
			Credentials:    credentials,
			SASL:           mechanism,
			RequestTimeout: 2 * time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		p, err := c.NewProducer(kafkawire.ProducerConfig{TransactionalID: "txn"})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Init(t.Context()); err != nil {
			return err
		}
		if err := p.Commit(t.Context(), unfenced("group", "in", 1, text("out", "v"))); err != nil {
			return err
		}
		if got := read(t, fetcher(t, c, "out"), 0, 1); got[0] != "v" {
			t.Errorf("read %q", got)
		}
		return nil
	}
	if err := use(kafkawire.Plain, "ann", "secret"); err != nil {
		t.Errorf("plain: %v", err)
	}
	if err := use(kafkawire.ScramSHA256, "bob", "secret"); err != nil {
		t.Errorf("scram: %v", err)
	}
	for mechanism, user := range map[string]string{
		kafkawire.Plain:       "ann",
		kafkawire.ScramSHA256: "bob",
		kafkawire.ScramSHA512: "nobody",
	} {
		err := use(mechanism, user, "wrong")
		var denied *pipeline.Denied
		if !errors.As(err, &denied) || !errors.Is(err, pipeline.ErrUnavailable) || denied.Code != secure.CodeLogin {
			t.Errorf("%s with a wrong password: %v", mechanism, err)
		}
	}
}

// TestPermissionMissing: codes of missing permissions are refusals with what to allow.
func TestPermissionMissing(t *testing.T) {
	for code, want := range map[kafkawire.Error]bool{
		kafkawire.TopicDenied: true, kafkawire.GroupDenied: true, kafkawire.ClusterDenied: true, kafkawire.TransactionDenied: true,
		kafkawire.NotLeader: false, kafkawire.UnknownMember: false,
	} {
		var denied *pipeline.Denied
		if got := errors.As(error(code), &denied); got != want {
			t.Errorf("%v is a refusal: %v", code, got)
		} else if want && (denied.Code != secure.CodePermission || denied.Do == "") {
			t.Errorf("%v: %+v", code, denied)
		}
	}
}
