// Package redisstore keeps the state of partitions in Redis 6.2 or later, or in a Redis Cluster.
//
// All keys of a partition share one hash tag, hence one slot, one primary and one ordered replication stream, so that
// any replica, snapshot or append-only file holds the partition as of some commit:
//
//	ebb:{<group>:p<N>}:meta        string: token of the last commit or claim (16 bytes), then the meta in sections
//	ebb:{<group>:p<N>}:profiles    hash:   customer's key to encoded profile
//	ebb:{<group>:p<N>}:due:<n>     string: due entries, grown by APPEND; n-th bucket of time since the epoch
//	ebb:{<group>:p<N>}:outbox      list:   entries not yet dropped, oldest first
//	ebb:{<group>:p<N>}:held        hash:   customer's key and kind to a raise that is held
//	ebb:{<group>:p<N>}:asked       hash:   id to what a person asks of the owner; not part of the state
//
// # The fence
//
// Each partition has a connection of its own with WATCH set on the meta key. A commit is one write and one round trip:
//
//	MULTI … SET meta EXEC  WATCH meta  GETRANGE meta 0 15
//
// If anything else has written meta since the last WATCH, EXEC does nothing. The tail arms the fence for the next
// commit and reads the token back, because another owner may have written between EXEC and WATCH. A lost connection
// takes its WATCH with it: the client never replaces it silently, and the owner has to claim again. Nothing is ever
// retried here.
//
// docs/adr/0004-redis-layout.md has the alternatives and their figures.
package redisstore
