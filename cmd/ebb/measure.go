package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"

	"github.com/rs/zerolog"
)

// measure serves the benchmark of the line: with EBB_TEST_CPUPROFILE=FILE it writes a CPU profile. At the end it logs
// the resources that the process used.
func measure(environ []string, log zerolog.Logger) (stop func() error, err error) {
	path, ok := lookup(environ, "EBB_TEST_CPUPROFILE")
	if !ok {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create CPU profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, fmt.Errorf("start CPU profile: %w", err)
	}
	return func() error {
		pprof.StopCPUProfile()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			return fmt.Errorf("read resource usage: %w", err)
		}
		log.Info().
			Int64("cpu_ns", u.Utime.Nano()+u.Stime.Nano()).
			Uint64("mallocs", m.Mallocs).
			Uint64("allocated_bytes", m.TotalAlloc).
			Int64("max_rss_kib", u.Maxrss).
			Msg("measured")
		return f.Close()
	}, nil
}

// lookup finds a variable of the environment.
func lookup(environ []string, name string) (string, bool) {
	for _, v := range environ {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value, true
		}
	}
	return "", false
}
