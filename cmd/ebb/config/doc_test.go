package config

import (
	"fmt"
	"strings"
	"testing"

	"ebb/cmd/ebb/advice"
	"ebb/scoring/scoringtest/golden"
)

// TestConfigurationDocument compares docs/configuration.md with the table of settings. With -update it is written
// again.
func TestConfigurationDocument(t *testing.T) {
	const path = "../../../docs/configuration.md"
	golden.Path(t, path, configurationDocument())
}

// TestEverySettingIsDocumented: nobody can choose a value for a key without a described consequence.
func TestEverySettingIsDocumented(t *testing.T) {
	for _, s := range Default().settings() {
		if len(s.doc) < 20 || !strings.HasSuffix(s.doc, ".") {
			t.Errorf("%s: %q", s.path, s.doc)
		}
	}
}

func configurationDocument() string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Written by: go test ./cmd/ebb/config -run Document -update -->

ebb reads one YAML file, named with ` + "`-c`" + `; without it, every key has its default. [ebb.example.yaml](../deployments/ebb.example.yaml)
holds them all. The environment overrides the file, and flags (` + "`--brokers`, `--topic`" + `) override the environment.

- The variable of a key is its path in capitals with ` + "`EBB_`" + ` in front: ` + "`kafka.session_timeout`" + ` is ` + "`EBB_KAFKA_SESSION_TIMEOUT`" + `. Items of a
  list are separated by commas.
- Unknown keys and unknown ` + "`EBB_`" + ` variables are errors, except ` + "`EBB_TEST_`" + `, which belongs to tests. All problems are reported at once, each with its place.
- Durations carry their unit: ` + "`200ms`, `10s`, `5m`, `2h`, `90d`" + ` (a day is 24 hours). Sizes are bytes, or ` + "`KiB`, `MiB`, `GiB`" + `.
- Secrets stand in files or in the environment, never in the configuration file, and are not shown in any log. How to set up each kind of
  secured connection, and the permissions that ebb needs: [security.md](security.md).
- ` + "`ebb check -c ebb.yaml`" + ` tries the configuration against the brokers and the Redis that it names.

Exit codes of every command: 0 done; 1 failed; 2 the command line or the configuration is wrong; 3 a hard stop, which a
person has to decide on; 130 Ctrl-C (143 SIGTERM) before the work was done.

Memory does not grow with the number of customers. In use are 450 bytes a customer in the cache (` + "`state.cache`" + `) and up to 150 MiB a partition
that a process has (batches read ahead and being committed, the outbox, deadlines about to fall due); the Go runtime lets as much again
gather before it collects. Five million customers with a cache of one million, four partitions, far behind: 1.0 GiB in use, 2.2 GiB resident.
` + "`GOMEMLIMIT`" + `, a variable of the Go runtime, bounds the whole; set it to nine tenths of what the container may take. The same load under
` + "`GOMEMLIMIT=1200MiB`" + `: 1.24 GiB resident, a sixth of the CPU spent on collecting. (` + "`GOMEMLIMIT=1200MiB task bench:line -- -events 5000000 -customers 5000000 -warm 0 -runs 1 -live 0`" + `)
`)
	section := ""
	for _, s := range Default().settings() {
		head, _, _ := strings.Cut(s.path, ".")
		if s.path == "shutdown_timeout" {
			head = "process"
		}
		if head != section {
			section = head
			fmt.Fprintf(&b, "\n## %s\n\n| key | value | default | what it does |\n|---|---|---|---|\n", section)
		}
		writeSetting(&b, &s)
	}
	return b.String()
}

func writeSetting(b *strings.Builder, s *setting) {
	value, key := bounds(s), "`"+s.path+"`"
	if s.secret {
		key, value = "`"+s.variable()+"`", "text, only as a variable"
	}
	def := "`" + s.value.String() + "`"
	if s.value.String() == "" {
		def = "–"
	}
	if s.def != "" {
		def = "`" + s.def + "`"
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s |\n", key, value, def, s.doc)
}

// bounds describes the values of a setting.
func bounds(s *setting) string {
	switch v := s.value.(type) {
	case countValue:
		return fmt.Sprintf("%d to %d", v.min, v.max)
	case durationValue:
		return advice.FormatDuration(v.min) + " to " + advice.FormatDuration(v.max)
	case sizeValue:
		return advice.FormatSize(v.min) + " to " + advice.FormatSize(v.max)
	case choiceValue:
		return alternatives(inCode(quoteEmpty(v.choices)))
	case choicesValue:
		return "list of " + alternatives(inCode(v.choices))
	}
	return s.value.kind()
}

func inCode(words []string) (all []string) {
	for _, w := range words {
		all = append(all, "`"+w+"`")
	}
	return all
}
