// Package packs says what a pack declares, what two of them declare and decide differently, and whether one runs.
package packs
