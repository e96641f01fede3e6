package breakable

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/ports"
)

// Broker is a Kafka for the test, as a plain process. Beside the test's own listener it has one for each member, whose
// advertised address is that of the member's proxy, so that no connection of a member bypasses the proxy.
type Broker struct {
	script, dir string
	env         []string
	Address     string // for the test itself
	redis       string
	Doors       []string
}

// NewBroker sets up a broker with so many doors for members, and stops it again: the doors' proxies have to exist
// before it runs.
func NewBroker(ctx context.Context, shared, dir string, doors int) (*Broker, error) {
	free, err := ports.Free(ctx, 3+doors) // Kafka's controller uses the port after its own
	if err != nil {
		return nil, err
	}
	b := &Broker{
		script: filepath.Join(shared, "testenv", "native"), dir: dir,
		Address: ports.On(free[0]), redis: ports.On(free[2]),
		env: []string{
			fmt.Sprintf("KAFKA_PORT=%d", free[0]), fmt.Sprintf("REDIS_PORT=%d", free[2]), "KAFKA_HEAP=512m",
			"JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC", // it starts often
		},
	}
	for _, p := range free[3:] {
		b.Doors = append(b.Doors, ports.On(p))
	}
	err = b.call(ctx, "up", dir)
	if _, missing := os.Stat(b.properties()); missing != nil {
		return b, errors.Join(err, missing)
	}
	return b, b.Stop(ctx) // its Redis has no replica; see RedisPair
}

// Stop ends the broker, and the Redis that the script starts beside it.
func (b *Broker) Stop(ctx context.Context) error {
	return errors.Join(b.end(ctx, "redis", b.redis), b.end(ctx, "kafka", b.Address))
}

func (b *Broker) call(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, b.script, args...)
	cmd.Env = append(os.Environ(), b.env...)
	Detach(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", b.script, strings.Join(args, " "), err, out)
	}
	return nil
}

func (b *Broker) properties() string { return filepath.Join(b.dir, "kafka.properties") }

// Open adds the doors to the listeners, each advertised with its proxy's address.
func (b *Broker) Open(proxies []string) error {
	text, err := os.ReadFile(b.properties())
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	add := func(key string, value func(i int) string) {
		i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, key+"=") })
		for n := range b.Doors {
			lines[i] += "," + value(n)
		}
	}
	door := func(n int) string { return fmt.Sprintf("DOOR%d", n) }
	add("listeners", func(n int) string { return door(n) + "://" + b.Doors[n] })
	add("advertised.listeners", func(n int) string { return door(n) + "://" + proxies[n] })
	add("listener.security.protocol.map", func(n int) string { return door(n) + ":PLAINTEXT" })
	// after this time a killed broker counts as dead
	lines = append(lines, "broker.session.timeout.ms=3000", "broker.heartbeat.interval.ms=500", "")
	return os.WriteFile(b.properties(), []byte(strings.Join(lines, "\n")), 0o600)
}

// Start starts the broker on its stored data, and waits until it coordinates groups. It waits longer than the script
// does, for a busy machine.
func (b *Broker) Start(ctx context.Context) error {
	slow := b.call(ctx, "start", "kafka", b.dir)
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.Address))
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	err = Until(ctx, 2*time.Minute, "Kafka answers", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err := adm.FetchOffsets(ctx, "nobody")
		return err
	})
	if err != nil {
		return errors.Join(slow, err)
	}
	return nil
}

// Kill ends the broker as kill -9 does.
func (b *Broker) Kill(ctx context.Context) error { return b.end(ctx, "kafka", b.Address) }

// end kills a process of the script and waits until nothing listens any more. The script itself waits until the process
// is gone, which takes until its new parent reaps it.
func (b *Broker) end(ctx context.Context, name, address string) error {
	file := filepath.Join(b.dir, name+".pid")
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	if err := os.Remove(file); err != nil {
		return err
	}
	var d net.Dialer
	return Until(ctx, time.Minute, name+" is gone", func(ctx context.Context) error {
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil //nolint:nilerr // the expected outcome
		}
		return errors.Join(conn.Close(), errors.New("it listens"))
	})
}

// Until repeats a call as long as it returns an error, for so long.
func Until(ctx context.Context, patience time.Duration, what string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, errors.Join(context.Cause(ctx), err))
		}
	}
}
