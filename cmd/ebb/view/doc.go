// Package view shows people what the packages of the commands found out: as lines, tables and sentences that fit the
// screen.
package view
