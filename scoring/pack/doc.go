// Package pack is the pack language: reading a file, checking it, its canonical form, its lint, and what it compiles
// to; each section of a pack has a file of its own. It holds the shipped packs and the catalogue of sentences.
package pack
