package pack

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ebb/scoring/profile"
)

// words are the words for amounts.
type words struct {
	span, every  [numUnits]counted // spans, and a span after the word "every"
	visit, times counted
	ago, percent around
	Today        string
	months       []string
	Trouble      string                     // an event whose type is not known
	Everybody    string                     // of customers of every class
	Class        [profile.NumClasses]string // of those of one
}

// unit is a unit of spans.
type unit int

const (
	hour unit = iota
	day
	month
	year
	numUnits
)

var unitNames = [numUnits]string{"hour", "day", "month", "year"}

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
	for u, name := range unitNames {
		w.span[u], w.every[u] = count("unit."+name), count("every."+name)
	}
	w.visit, w.times = count("unit.visit"), count("times")
	w.ago, w.percent, w.Today = take("ago.span", "{span}"), take("number.percent", "{n}"), take("ago.today", "").before
	w.Everybody = take("whose.everybody", "").before
	for c := range profile.NumClasses {
		w.Class[c] = take("whose."+c.String(), "").before
	}
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
		dst = append(AppendGrouped(dst, n), a.after...)
	}
	return dst
}

// AppendGrouped appends n with a comma between each three digits.
func AppendGrouped(dst []byte, n uint64) []byte {
	if n < 1000 {
		return strconv.AppendUint(dst, n, 10)
	}
	rest := n % 1000
	dst = append(AppendGrouped(dst, n/1000), ',')
	return append(dst, byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
}

// AppendPercent appends permille in whole per cent.
func (w *words) AppendPercent(dst []byte, permille int64) []byte {
	dst = append(dst, w.percent.before...)
	return append(strconv.AppendInt(dst, (permille+5)/10, 10), w.percent.after...)
}

// AppendSpan appends a span in whole hours, days, months or years, whichever suit its length.
func (w *words) AppendSpan(dst []byte, days float64) []byte {
	n, u := wholeUnits(days)
	return w.span[u].append(dst, n)
}

// AppendEvery appends a span as it follows the word "every".
func (w *words) AppendEvery(dst []byte, days float64) []byte {
	n, u := wholeUnits(days)
	return w.every[u].append(dst, n)
}

// AppendDays appends a number of days.
func (w *words) AppendDays(dst []byte, n uint64) []byte { return w.span[day].append(dst, n) }

// AppendHours appends a number of hours.
func (w *words) AppendHours(dst []byte, n uint64) []byte { return w.span[hour].append(dst, n) }

// AppendVisits appends a number of visits.
func (w *words) AppendVisits(dst []byte, n uint64) []byte { return w.visit.append(dst, n) }

// AppendTimes appends how often something was.
func (w *words) AppendTimes(dst []byte, n uint64) []byte { return w.times.append(dst, n) }

// AppendDate appends the day of an instant, in ms since the epoch, in UTC.
func (w *words) AppendDate(dst []byte, at int64) []byte {
	year, month, day := time.UnixMilli(at).UTC().Date()
	dst = append(strconv.AppendInt(dst, int64(day), 10), ' ')
	dst = append(append(dst, w.months[month-1]...), ' ')
	return strconv.AppendInt(dst, int64(year), 10)
}

// AroundAgo is the text before and after a span that has passed.
func (w *words) AroundAgo() (before, after string) { return w.ago.before, w.ago.after }

// Spans from which on days, and then months, say more than anybody wants to know.
const (
	fromMonths = 120.0 // days
	fromYears  = 36    // months
	inMonth    = 365.25 / 12
)

// wholeUnits is a span of days in the unit that suits its length, rounded.
func wholeUnits(days float64) (n uint64, u unit) {
	if days < 1.5 {
		if h := uint64(float64(days*24) + 0.5); h != 24 {
			return max(h, 1), hour
		}
	}
	if days < fromMonths-0.5 {
		return uint64(days + 0.5), day
	}
	if months := uint64(days/inMonth + 0.5); months < fromYears {
		return months, month
	}
	return uint64(days/(12*inMonth) + 0.5), year
}
