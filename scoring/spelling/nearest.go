// Package spelling suggests a known word for a misspelt one.
package spelling

import "strings"

// Nearest is the choice most similar to a word; "": none is near.
func Nearest(word string, choices []string) string {
	best, distance := "", 1+min(max(2, len(word)/3), len(word)-1) // a letter stays: "no" is not near "on"
	for _, c := range choices {
		if d := editDistance(strings.ToLower(word), strings.ToLower(c)); c != "" && d < distance {
			best, distance = c, d
		}
	}
	return best
}

// editDistance counts the letters to insert, remove or replace on the way from a to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d++
			}
			diagonal = row[j+1]
			row[j+1] = min(d, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
