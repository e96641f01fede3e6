// Package encode reads and writes the bytes of states: fixed numbers, varints of the least length, times and tiles.
package encode
