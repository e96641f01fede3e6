// Package repair finds the published position of a group whose offsets were overwritten or deleted, from what Redis
// holds and what the topics show, and commits it again.
package repair
