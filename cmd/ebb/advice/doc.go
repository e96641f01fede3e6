// Package advice words what the commands print: errors with what to do about them, and numbers, times and sizes.
package advice
