//go:build integration

package services

import (
	"context"
	"net"
	"strconv"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"

	"ebb/pipeline/linetest/ports"
)

// run starts a container whose port is mapped to a free port of the host, with the settings that depend on that
// address.
func run(
	ctx context.Context,
	image, port string,
	with func(address string) testcontainers.CustomizeRequestOption,
) (testcontainers.Container, string, error) {
	host, err := Host(ctx)
	if err != nil {
		return nil, "", err
	}
	free, err := ports.Free(ctx, 1)
	if err != nil {
		return nil, "", err
	}
	address := net.JoinHostPort(host, strconv.Itoa(free[0]))
	c, err := launch(ctx, image, map[string]int{port: free[0]}, with(address))
	return c, address, err
}

// StartAt starts a container whose ports are mapped to the same ports of the host, so that several servers in it can
// advertise one address to each other and their clients. It is 127.0.0.1 on both sides.
func StartAt(
	ctx context.Context,
	image string,
	ports []int,
	with ...testcontainers.ContainerCustomizer,
) (testcontainers.Container, error) {
	mapped := map[string]int{}
	for _, p := range ports {
		mapped[strconv.Itoa(p)+"/tcp"] = p
	}
	return launch(ctx, image, mapped, with...)
}

// launch starts a container with ports inside mapped to ports of the host.
func launch(
	ctx context.Context,
	image string,
	ports map[string]int,
	with ...testcontainers.ContainerCustomizer,
) (testcontainers.Container, error) {
	bound := network.PortMap{}
	for inside, outside := range ports {
		p, err := network.ParsePort(inside)
		if err != nil {
			return nil, err
		}
		bound[p] = []network.PortBinding{{HostPort: strconv.Itoa(outside)}}
		with = append(with, testcontainers.WithExposedPorts(inside))
	}
	with = append(with, testcontainers.WithHostConfigModifier(func(h *container.HostConfig) { h.PortBindings = bound }))
	c, err := testcontainers.Run(ctx, image, with...)
	if c == nil { // a nil pointer of its type would not compare equal to nil
		return nil, err
	}
	return c, err
}

// Host is the host of containers' ports.
func Host(ctx context.Context) (string, error) {
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return "", err
	}
	defer provider.Close() //nolint:errcheck // a failure has no effect
	host, err := provider.DaemonHost(ctx)
	if host == "localhost" {
		host = "127.0.0.1" // may be ::1, where nothing listens
	}
	return host, err
}
