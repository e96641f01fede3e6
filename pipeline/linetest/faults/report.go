package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// row is a fault and what became of it.
type row struct {
	Fault   string
	Seconds float64 // until it was said
	Sign    string  // code, or state
	Ready   string
	Alerts  string
	Mend    string // what was done, and what came of it
	Err     string // why the program did not pass; empty: it did
}

func (r *row) String() string {
	verdict := "passed"
	if r.Err != "" {
		verdict = "FAILED: " + r.Err
	}
	return fmt.Sprintf("%s: said after %.1f s: %s; %s; alerts: %s; mended: %s; %s",
		r.Fault, r.Seconds, r.Sign, r.Ready, r.Alerts, r.Mend, verdict)
}

func failed(rows []row) error {
	var errs []error
	for i := range rows {
		if rows[i].Err != "" {
			errs = append(errs, fmt.Errorf("%s: %s", rows[i].Fault, rows[i].Err))
		}
	}
	return errors.Join(errs...)
}

// Marks of the table in the document.
const (
	begins = "<!-- task faults writes from here -->\n"
	ends   = "<!-- to here -->\n"
)

// show prints the table, and writes it into the document where every fault has passed.
func show(w io.Writer, o *options, rows []row) error {
	text := table(rows)
	fmt.Fprint(w, text)
	if passed := failed(rows) == nil; o.write == "" || !passed {
		return nil
	}
	document, err := os.ReadFile(o.write)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(document, []byte(begins))
	_, after, found2 := bytes.Cut(rest, []byte(ends))
	if !found || !found2 {
		return fmt.Errorf("%s has no marks of the table", o.write)
	}
	document = bytes.Join([][]byte{before, []byte(begins), []byte("\n" + text + "\n"), []byte(ends), after}, nil)
	return os.WriteFile(o.write, document, 0o600)
}

func table(rows []row) string {
	var b strings.Builder
	b.WriteString(
		"| fault | said after | code or state | readiness | alerts | what mends it |\n|---|---|---|---|---|---|\n",
	)
	for _, r := range rows {
		seconds, sign := "–", "–"
		if r.Sign != "" {
			seconds, sign = fmt.Sprintf("%.1f s", r.Seconds), "`"+strings.TrimPrefix(r.Sign, "state ")+"`"
		}
		if r.Err != "" {
			r.Mend = "FAILED"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.Fault, seconds, sign, r.Ready, r.Alerts, r.Mend)
	}
	return b.String()
}
