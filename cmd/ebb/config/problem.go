package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ebb/cmd/ebb/advice"
)

// Problem is one thing wrong with the configuration.
type Problem struct {
	Place string `json:"place"`          // ebb.yaml:4, EBB_KAFKA_GROUP, --brokers or default
	Path  string `json:"path,omitempty"` // key, where there is one
	Text  string `json:"text"`

	line int
	file bool
}

// String is the problem on one line, with the place in the form that editors can open.
func (p Problem) String() string {
	if p.Path == "" {
		return p.Place + ": " + p.Text
	}
	return p.Place + ": " + p.Path + ": " + p.Text
}

// Problems is everything wrong with the configuration, as an error.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, 0, len(ps)+1)
	lines = append(lines, fmt.Sprintf("%s in the configuration", advice.Plural(len(ps), "problem")))
	for _, p := range ps {
		lines = append(lines, "  "+p.String())
	}
	return strings.Join(lines, "\n")
}

// sorted puts the problems in the order of work: the file from top to bottom, then the rest.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
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

// Touch reports whether a problem concerns one of the keys, one below them, or the file as a whole.
func (ps Problems) Touch(keys ...string) bool {
	return slices.ContainsFunc(ps, func(p Problem) bool {
		return p.Path == "" && p.file || slices.ContainsFunc(keys, func(key string) bool {
			return p.Path == key || strings.HasPrefix(p.Path, key+".") || strings.HasPrefix(key, p.Path+".")
		})
	})
}
