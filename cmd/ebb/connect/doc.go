// Package connect makes the clients, the pack and the topics that a configuration names ready for use, and explains in
// plain words why one is not.
package connect
