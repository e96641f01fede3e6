// Package encode writes and reads the bytes of state: sections, varints, floats, times.
package encode
