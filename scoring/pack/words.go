package pack

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// words are the words for amounts.
type words struct {
	hour, day, visit    counted // spans, and visits
	everyHour, everyDay counted // a span after the word "every"
	ago, percent        around
	Today               string
	months              []string
	Trouble             string // an event whose type is not known
}

// counted is the words for one of something, and for any other number.
type counted struct{ one, other around }

// around is the text before and after a number or a span, or in its place.
type around struct {
	before, after string
	alone         bool
}

// take reads the words and removes them from texts.
func (w *words) take(texts map[string]string) error {
	var errs []error
	take := func(key, placeholder string) around {
		a, err := takeAround(texts, key, placeholder)
		errs = append(errs, err)
		return a
	}
	count := func(key string) counted { return counted{take(key+oneKey, "{n}"), take(key+".other", "{n}")} }
	w.hour, w.day, w.visit = count("unit.hour"), count("unit.day"), count("unit.visit")
	w.everyHour, w.everyDay = count("every.hour"), count("every.day")
	w.ago, w.percent, w.Today = take("ago.span", "{span}"), take("number.percent", "{n}"), take("ago.today", "").before
	w.Trouble, w.months = take("date.trouble", "").before, strings.Fields(take("date.months", "").before)
	if len(w.months) != 12 {
		errs = append(errs, fmt.Errorf("date.months: %d words, must be 12", len(w.months)))
	}
	return errors.Join(errs...)
}

// oneKey ends the key of the text for the number 1. That text may leave the number out.
const oneKey = ".one"

// takeAround reads the text of a key, with one placeholder, and removes it from texts.
func takeAround(texts map[string]string, key, placeholder string) (a around, err error) {
	text, ok := texts[key]
	if !ok {
		return a, fmt.Errorf("no %s", key)
	}
	delete(texts, key)
	a.before, a.alone = text, true
	if placeholder != "" {
		var found bool
		a.before, a.after, found = strings.Cut(text, placeholder)
		a.alone = !found
	}
	switch {
	case strings.ContainsAny(a.before+a.after, "{}"):
		return a, fmt.Errorf("%s: %q, has no placeholder but %s, once", key, text, placeholder)
	case a.alone && placeholder != "" && !strings.HasSuffix(key, oneKey):
		return a, fmt.Errorf("%s: %q, without %s", key, text, placeholder)
	}
	return a, nil
}

// append appends n with its word.
func (c *counted) append(dst []byte, n uint64) []byte {
	a := &c.other
	if n == 1 {
		a = &c.one
	}
	dst = append(dst, a.before...)
	if !a.alone {
		dst = append(strconv.AppendUint(dst, n, 10), a.after...)
	}
	return dst
}

// AppendPercent appends permille in whole per cent.
func (w *words) AppendPercent(dst []byte, permille int64) []byte {
	dst = append(dst, w.percent.before...)
	return append(strconv.AppendInt(dst, (permille+5)/10, 10), w.percent.after...)
}

// AppendSpan appends a span in whole days, or hours where it is under a day and a half.
func (w *words) AppendSpan(dst []byte, days float64) []byte {
	n, hours := wholeUnits(days)
	if hours {
		return w.hour.append(dst, n)
	}
	return w.day.append(dst, n)
}

// AppendEvery appends a span as it follows the word "every".
func (w *words) AppendEvery(dst []byte, days float64) []byte {
	n, hours := wholeUnits(days)
	if hours {
		return w.everyHour.append(dst, n)
	}
	return w.everyDay.append(dst, n)
}

// AppendDays appends a number of days.
func (w *words) AppendDays(dst []byte, n uint64) []byte { return w.day.append(dst, n) }

// AppendVisits appends a number of visits.
func (w *words) AppendVisits(dst []byte, n uint64) []byte { return w.visit.append(dst, n) }

// AppendDate appends the day of an instant, in ms since the epoch, in UTC.
func (w *words) AppendDate(dst []byte, at int64) []byte {
	year, month, day := time.UnixMilli(at).UTC().Date()
	dst = append(strconv.AppendInt(dst, int64(day), 10), ' ')
	dst = append(append(dst, w.months[month-1]...), ' ')
	return strconv.AppendInt(dst, int64(year), 10)
}

// AroundAgo is the text before and after a span that has passed.
func (w *words) AroundAgo() (before, after string) { return w.ago.before, w.ago.after }

func wholeUnits(days float64) (n uint64, hours bool) {
	if days < 1.5 {
		if h := uint64(float64(days*24) + 0.5); h != 24 {
			return max(h, 1), true
		}
	}
	return uint64(days + 0.5), false
}
