package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ebb/cmd/ebb/advice"
)

// configProblem is one thing wrong with the configuration.
type configProblem struct {
	Place string `json:"place"`          // ebb.yaml:4, EBB_KAFKA_GROUP, --brokers or default
	Path  string `json:"path,omitempty"` // key, where one is meant
	Text  string `json:"text"`

	line int
	file bool
}

// String is the problem on one line, with the place in the form that editors can open.
func (p configProblem) String() string {
	if p.Path == "" {
		return p.Place + ": " + p.Text
	}
	return p.Place + ": " + p.Path + ": " + p.Text
}

// configProblems is everything wrong with the configuration, as an error.
type configProblems []configProblem

// Error lists the problems, one a line.
func (ps configProblems) Error() string {
	lines := make([]string, 0, len(ps)+1)
	lines = append(lines, fmt.Sprintf("%s in the configuration", advice.Plural(len(ps), "problem")))
	for _, p := range ps {
		lines = append(lines, "  "+p.String())
	}
	return strings.Join(lines, "\n")
}

// sorted orders the problems as one would mend them: the file from top to bottom, then the rest.
func (ps configProblems) sorted() configProblems {
	slices.SortStableFunc(ps, func(a, b configProblem) int {
		if a.file != b.file {
			if a.file {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.line, b.line)
	})
	return ps
}

// touch reports whether a problem concerns one of the keys, or those below it, or the file as a whole.
func (ps configProblems) touch(keys ...string) bool {
	return slices.ContainsFunc(ps, func(p configProblem) bool {
		return p.Path == "" && p.file || slices.ContainsFunc(keys, func(key string) bool {
			return p.Path == key || strings.HasPrefix(p.Path, key+".") || strings.HasPrefix(key, p.Path+".")
		})
	})
}
