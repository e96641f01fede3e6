package config

import (
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
	"ebb/pipeline/secure"
)

// readSecrets reads the files that the configuration names, so that a missing one is reported with all other problems.
// The files are followed from then on.
func (l *loader) readSecrets(c *Config, readFile func(string) ([]byte, error)) {
	k, r := &c.Kafka, &c.Redis
	k.Credentials = l.open(secure.Source{
		Server: "Kafka", Keys: kafkawire.Keys(), ReadFile: readFile,
		Username: k.SASL.Username, Password: k.SASL.Password, PasswordFile: k.SASL.PasswordFile,
	}, &k.TLS)
	r.Credentials = l.open(secure.Source{
		Server: "Redis", Keys: redisstore.Keys(), ReadFile: readFile,
		Username: r.Username, Password: r.Password, PasswordFile: r.PasswordFile,
	}, &r.TLS)
	r.Sentinel.Credentials = l.open(secure.Source{
		Server: "Sentinel", Keys: secure.Keys{Login: "redis.sentinel."}, ReadFile: readFile,
		Username: r.Sentinel.Username, Password: r.Sentinel.Password, PasswordFile: r.Sentinel.PasswordFile,
	}, new(TLS))
	l.deliverCredentials(&c.Deliver, readFile)
}

// open reads the files of one service.
func (l *loader) open(src secure.Source, t *TLS) *secure.Credentials {
	src.TLS, src.CAFile, src.CertFile, src.KeyFile, src.ServerName = t.Enabled, t.CAFile, t.CertFile, t.KeyFile, t.ServerName
	credentials, problems := secure.Open(src)
	for _, p := range problems {
		l.problem(p.Key, "%s", p.Text)
	}
	return credentials
}
