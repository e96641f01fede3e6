// Package rebuild empties the state of a group, to be built anew from the input or to be forgotten.
package rebuild
