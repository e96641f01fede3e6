package advice

import (
	"fmt"
	"strings"
)

// DidYouMean is a hint at the nearest of the choices, or nothing where none is near.
func DidYouMean(word string, choices []string) string {
	best, distance := "", 1+max(2, len(word)/3)
	for _, c := range choices {
		if d := editDistance(strings.ToLower(word), strings.ToLower(c)); c != "" && d < distance {
			best, distance = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// editDistance counts the letters to insert, remove or replace to get from a to b.
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
