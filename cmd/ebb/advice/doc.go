// Package advice is how the commands speak: errors with what to do about them, and numbers, times and sizes in words.
package advice
