// Package view shows people the results of the commands' packages: as lines, tables and sentences that fit the screen.
package view
