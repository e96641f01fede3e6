// Package eventlog reads logs of the past: NDJSON in any envelope or CSV, plain or gzipped, an event a line.
package eventlog
