package demo

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/shop"
)

// source is where the demo's events come from.
type source struct {
	title string     // what it is, for the header
	total int64      // events
	shop  *shop.Shop // nil: a real log, without the truth about who left
	each  func(send func(key, value []byte, at int64) error) error
}

// open makes the shop, or opens the log and counts it.
func open(opts *Options) (*source, error) {
	if opts.Events != "" {
		return openRealLog(opts.Events, opts.Stdin, &opts.Config.Input)
	}
	s, err := shop.New(shop.Config{
		Business: businessOf(opts.Config.Pack.Name), Customers: opts.Customers, Seed: opts.Seed,
	})
	if err != nil {
		return nil, advice.Usage(err)
	}
	l := &source{
		shop: s,
		title: fmt.Sprintf(
			"a simulated %s (seed %d): %s customers over %d days from %s",
			s.Title(),
			opts.Seed,
			advice.Grouped(int64(s.Customers())),
			int(s.End().Sub(s.Start()).Hours()/24),
			s.Start().Format(time.DateOnly),
		),
	}
	for range s.Events() {
		l.total++
	}
	l.each = func(send func(key, value []byte, at int64) error) error {
		var value []byte
		for ev := range s.Events() {
			value = shop.AppendJSON(value[:0], &ev)
			if err := send([]byte(ev.Customer), value, ev.Time.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	}
	return l, nil
}

// businessOf is the business that a pack is for; of a pack of one's own it is the shop.
func businessOf(pack string) string {
	if slices.Contains(shop.Businesses(), pack) {
		return pack
	}
	return ""
}

// openRealLog reads a log twice: once to count it, which also finds a bad line, or one that is not in order of time,
// before anything is shown. Standard input is kept in memory, because it cannot be read twice.
func openRealLog(name string, stdin io.Reader, in *config.Input) (*source, error) {
	l := &source{title: "the log " + name}
	var kept []keptEvent
	read := func(send func(key, value []byte, at int64) error) error {
		file, err := eventlog.Open(name, stdin, in)
		if err != nil {
			return err
		}
		defer file.Close()
		var order eventlog.Order
		for e := (eventlog.Entry{}); ; {
			if err := file.Next(&e); errors.Is(err, io.EOF) {
				return order.Disordered(file)
			} else if err != nil {
				return err
			}
			order.Add(e.Time)
			if err := send(e.Key, e.Value, e.Time); err != nil {
				return err
			}
		}
	}
	err := read(func(key, value []byte, at int64) error {
		l.total++
		if name == eventlog.Stdin {
			kept = append(kept, keptEvent{string(key), string(value), at})
		}
		return nil
	})
	l.each = read
	if name == eventlog.Stdin {
		l.each = func(send func(key, value []byte, at int64) error) error {
			for _, e := range kept {
				if err := send([]byte(e.key), []byte(e.value), e.at); err != nil {
					return err
				}
			}
			return nil
		}
	}
	if err == nil && l.total == 0 {
		err = fmt.Errorf("%s holds no events", name)
	}
	return l, err
}

type keptEvent struct {
	key, value string
	at         int64
}
