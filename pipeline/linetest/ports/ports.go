// Package ports finds ports for the servers that tests and test programs start.
package ports

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// The range holds no port that a system uses for outgoing connections: a server that is down for a while finds its own
// port free when it comes back.
const (
	first     = 15_000
	last      = 32_000
	blockSize = 100
)

// block is the ports that this process hands out next. The process owns a block by listening on its first port until it
// ends, so that servers that start at the same time, here or in other processes, get different ports.
var block struct { //nolint:gochecknoglobals // a process has one
	mu        sync.Mutex
	next, end int
	claims    []net.Listener
}

// Free returns n free ports in a row, at most 99, none of which it has returned before.
func Free(ctx context.Context, n int) ([]int, error) {
	block.mu.Lock()
	defer block.mu.Unlock()
	var err error
	for range 1000 {
		if block.end-block.next < n {
			if err = claim(ctx); err != nil {
				continue
			}
		}
		found := make([]int, n)
		for i := range found {
			found[i] = block.next + i
		}
		block.next += n
		if err = free(ctx, found); err == nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("find %d free ports: %w", n, err)
}

// Address is 127.0.0.1 with a free port.
func Address(ctx context.Context) (string, error) {
	found, err := Free(ctx, 1)
	if err != nil {
		return "", err
	}
	return On(found[0]), nil
}

// On is the address of a port that only this machine can reach.
func On(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func claim(ctx context.Context) error {
	start := first + blockSize*rand.IntN((last-first)/blockSize)
	l, err := listen(ctx, start)
	if err != nil {
		return err
	}
	block.claims = append(block.claims, l) // servers on the ports of former blocks may still be down
	block.next, block.end = start+1, start+blockSize
	return nil
}

// free returns an error where something listens on one of the ports.
func free(ctx context.Context, ports []int) error {
	for _, p := range ports {
		l, err := listen(ctx, p)
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}

func listen(ctx context.Context, port int) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", On(port))
}
