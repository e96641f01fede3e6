// Package exact holds elementary functions that give the same bits on every processor (docs/adr/0002-numbers.md).
package exact
