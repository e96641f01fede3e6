package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kgo"
)

// target is the system under test.
type target interface {
	// command is the program and arguments of member number i.
	command(i int, name, kafka, redis string) ([]string, error)

	// begun returns nil once the members are far enough for faults to begin.
	begun(ctx context.Context) error

	// caughtUp returns nil once the members have nothing left to do.
	caughtUp(ctx context.Context) error

	// judge compares the published and stored data with the input, when the members have ended.
	judge(ctx context.Context) (*verdict, error)
}

// newTarget finds a target by its name.
func (r *run) newTarget() target {
	if r.target == ebb {
		return ebbTarget{r}
	}
	return peerTarget{r}
}

// ebb is the name of the main target.
const ebb = "ebb"

// everything is the content of the input, once all alerts that are or will be visible have been read.
func (r *run) everything(ctx context.Context) ([]*kgo.Record, error) {
	input, err := r.topics.all(ctx, inputTopic)
	if err != nil {
		return nil, err
	}
	ends, err := r.topics.settled(ctx, alertTopic)
	if err != nil {
		return nil, err
	}
	return input, r.reader.reached(ctx, ends)
}

// ebbTarget is the real program.
type ebbTarget struct{ *run }

// command writes the member's configuration. Every second member leaves the group when it ends on request, and so does
// the guest.
func (t ebbTarget) command(i int, name, kafka, redis string) ([]string, error) {
	file := filepath.Join(t.dir, name+".yaml")
	text := fmt.Sprintf(configuration, kafka, groupName, inputTopic, alertTopic, name, session, redis, lateness, retention)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	command := append([]string{t.program, "run", "-c", file}, scoringFlags()...)
	if i%2 == 1 {
		command = append(command, "--leave")
	}
	return command, nil
}

// configuration of a member: many small commits, and a lost member is detected as soon as the broker allows.
const configuration = `kafka: {brokers: ["%s"], group: %s, input: %s, alerts: %s, control: chaos.control, packs: chaos.packs, instance_id: %s, session_timeout: %v, heartbeat: 500ms}
redis: {addresses: ["%s"]}
start: {history: none}
storm: {breaker: "off"}
sources: {guard: "off"}
time: {lateness: %v}
state: {retention: %v}
batch: {max_bytes: 64KiB}
input: {max_record_bytes: 16KiB}
http: {listen: ""}
log: {format: json}
`
