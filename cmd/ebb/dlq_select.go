package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/deadletter"
)

// selection reads which records the flags select.
func (f *dlqFlags) selection(now time.Time) (*deadletter.Selection, error) {
	s := &deadletter.Selection{Since: math.MinInt64, Until: math.MaxInt64}
	known := deadletter.CodeNames()
	for _, c := range f.codes {
		if !slices.Contains(known, c) {
			return nil, fmt.Errorf("there is no code %q (docs/events.md lists them)%s", c, advice.DidYouMean(c, known))
		}
		s.Codes = append(s.Codes, c)
	}
	var err error
	if s.Input, err = readSpan("partition", f.partition, "offsets", f.offsets); err != nil {
		return nil, err
	}
	if s.DLQ, err = readSpan("dlq-partition", f.dlqPartition, "dlq-offsets", f.dlqOffsets); err != nil {
		return nil, err
	}
	if f.since != "" {
		if s.Since, err = readTime("since", f.since, now); err != nil {
			return nil, err
		}
	}
	if f.until != "" {
		if s.Until, err = readTime("until", f.until, now); err != nil {
			return nil, err
		}
	}
	if s.Since >= s.Until {
		return nil, fmt.Errorf("--since %s is not before --until %s", f.since, f.until)
	}
	return s, nil
}

// readSpan reads a partition and its offsets: FROM-TO, FROM- or one.
func readSpan(partitionFlag string, partition int32, offsetsFlag, offsets string) (deadletter.Span, error) {
	s := deadletter.Span{Partition: partition, To: math.MaxInt64}
	switch {
	case partition < -1:
		return s, fmt.Errorf("--%s must be 0 or more, found %d", partitionFlag, partition)
	case offsets == "":
		return s, nil
	case partition < 0:
		return s, fmt.Errorf("--%s needs --%s: each partition has offsets of its own", offsetsFlag, partitionFlag)
	}
	wrong := fmt.Errorf("--%s is FROM-TO, FROM- or one offset, found %q", offsetsFlag, offsets)
	first, last, two := strings.Cut(offsets, "-")
	var err error
	if s.From, err = strconv.ParseInt(first, 10, 64); err != nil {
		return s, wrong
	}
	switch {
	case !two:
		s.To = s.From
	case last != "":
		if s.To, err = strconv.ParseInt(last, 10, 64); err != nil || s.To < s.From {
			return s, wrong
		}
	}
	return s, nil
}

// Time reads a time, or an age, as ms since the epoch.
func readTime(flag, text string, now time.Time) (int64, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UnixMilli(), nil
	}
	if ago, err := advice.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago).UnixMilli(), nil
	}
	return 0, fmt.Errorf(
		"--%s is a time such as 2026-01-01T00:00:00Z, or how long ago, such as 2h or 3d; found %q",
		flag,
		text,
	)
}
