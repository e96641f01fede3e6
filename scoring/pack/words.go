package pack

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// words are those of a language for amounts.
type words struct {
	hour, day, visit    counted // spans, and visits
	everyHour, everyDay counted // a span as it follows "every"
	ago, percent        around
	Today               string
	decimal             []byte // between a number's whole part and its decimals
}

// counted is what a language says of a number of something.
type counted struct {
	forms [numForms]around // by the language's plural form
	one   *around          // of the number 1 alone; nil: as any other
	*plurals
}

// plurals are the rules by which a language has a form for a whole number.
type plurals struct {
	lang    language.Tag
	numbers [numForms]int // how many of those looked at have the form
}

const (
	numForms  = plural.Many + 1
	mostForms = 2000 // below which all forms turn up but those of round numbers
)

// formNames are the plural forms as a catalogue calls them.
var formNames = [numForms]string{
	plural.Other: "other",
	plural.Zero:  "zero",
	plural.One:   "one",
	plural.Two:   "two",
	plural.Few:   "few",
	plural.Many:  "many",
}

// around is what stands before and behind a number or a span, or instead of it.
type around struct {
	before, after string
	alone         bool
}

// take reads the words and takes them out of texts.
func (w *words) take(lang string, texts map[string]string) error {
	tag, err := language.Parse(lang)
	if err != nil {
		return fmt.Errorf("%q is no language: %w", lang, err)
	}
	rules := newPlurals(tag)
	for _, of := range []struct {
		key  string
		word *counted
	}{
		{"unit.hour", &w.hour},
		{"unit.day", &w.day},
		{"unit.visit", &w.visit},
		{"every.hour", &w.everyHour},
		{"every.day", &w.everyDay},
	} {
		of.word.plurals = rules
		if err := of.word.take(of.key, texts); err != nil {
			return err
		}
	}
	if w.ago, err = takeAround(texts, "ago.span", "{span}"); err != nil {
		return err
	}
	if w.percent, err = takeAround(texts, "number.percent", "{n}"); err != nil {
		return err
	}
	if w.ago.alone || w.percent.alone {
		return errors.New("ago.span or number.percent: without its placeholder")
	}
	today, err := takeAround(texts, "ago.today", "")
	w.Today = today.before
	if err != nil {
		return err
	}
	decimal, err := takeAround(texts, "number.decimal", "")
	w.decimal = []byte(decimal.before)
	return err
}

// take reads the forms that the language has for whole numbers, no more and no fewer.
func (c *counted) take(key string, texts map[string]string) (err error) {
	if _, ok := texts[key+".1"]; ok {
		one, err := takeAround(texts, key+".1", "{n}")
		if err != nil {
			return err
		}
		c.one = &one
	}
	numbers := c.numbers
	if c.one != nil {
		numbers[c.form(1)]--
	}
	for form, name := range formNames {
		if numbers[form] == 0 {
			continue
		}
		if c.forms[form], err = takeAround(texts, key+"."+name, "{n}"); err != nil {
			return err
		}
		if c.forms[form].alone && numbers[form] > 1 {
			return fmt.Errorf("%s.%s: without {n}, and several numbers have the form", key, name)
		}
	}
	return nil
}

func newPlurals(lang language.Tag) *plurals {
	p := &plurals{lang: lang}
	for n := range mostForms {
		p.numbers[p.form(n)]++
	}
	for _, n := range []int{10_000, 100_000, 1_000_000, 2_000_000} {
		p.numbers[p.form(n)]++
	}
	return p
}

// form is that of n.
func (p *plurals) form(n int) plural.Form { return plural.Cardinal.MatchPlural(p.lang, n, 0, 0, 0, 0) }

// takeAround reads the text of a key, in which one placeholder may stand, and takes it out of texts.
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
	if strings.ContainsAny(a.before+a.after, "{}") {
		return a, fmt.Errorf("%s: %q, has no placeholder but %s, once", key, text, placeholder)
	}
	return a, nil
}

// append appends n as it is counted.
func (c *counted) append(dst []byte, n uint64) []byte {
	a := c.one
	if n != 1 || a == nil {
		a = &c.forms[c.form(int(min(n, 1<<62)))]
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

// AppendDecimal appends v with so many decimals; -1: as many as it needs.
func (w *words) AppendDecimal(dst []byte, v float64, decimals int) []byte {
	from := len(dst)
	dst = strconv.AppendFloat(dst, v, 'f', decimals, 64)
	if i := bytes.IndexByte(dst[from:], '.'); i >= 0 {
		dst = slices.Replace(dst, from+i, from+i+1, w.decimal...)
	}
	return dst
}

// AppendSpan appends a span in whole days, or hours where it is under a day and a half.
func (w *words) AppendSpan(dst []byte, days float64) []byte {
	n, hours := wholeUnits(days)
	if hours {
		return w.hour.append(dst, n)
	}
	return w.day.append(dst, n)
}

// AppendEvery appends a span as it follows "every".
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

// AroundAgo is what stands before and behind a span that has passed.
func (w *words) AroundAgo() (before, after string) { return w.ago.before, w.ago.after }

func wholeUnits(days float64) (n uint64, hours bool) {
	if days < 1.5 {
		if h := uint64(float64(days*24) + 0.5); h != 24 {
			return max(h, 1), true
		}
	}
	return uint64(days + 0.5), false
}
