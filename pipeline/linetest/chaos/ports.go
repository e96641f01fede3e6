package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports that no system gives to outgoing connections: a service that is killed finds its own free when it comes back.
const (
	firstPort = 20_000
	lastPort  = 32_000
)

// freePorts finds so many free ports in a row.
func freePorts(ctx context.Context, n int) ([]int, error) {
	var last error
	for range 1000 {
		ports := make([]int, n)
		first := firstPort + rand.IntN(lastPort-firstPort-n)
		for i := range ports {
			ports[i] = first + i
		}
		if last = free(ctx, ports); last == nil {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("find %d free ports: %w", n, last)
}

// free is nil where nobody listens on any of the ports.
func free(ctx context.Context, ports []int) error {
	var lc net.ListenConfig
	for _, p := range ports {
		l, err := lc.Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", p))
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}
