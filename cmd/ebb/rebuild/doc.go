// Package rebuild empties the state of a group, for a rebuild from the input or for good.
package rebuild
