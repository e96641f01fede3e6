package pipeline

import (
	"context"
)

// Token names one commit. Each commit has a fresh random one and requires the one before, so that an owner with a stale
// view of the store cannot write.
type Token [16]byte

// Store holds the state of one partition. One goroutine reads with Load while at most one other commits; Claim and
// Close are called when neither is in progress. Implementations: redisstore, and storetest's in-memory one.
type Store interface {
	// Claim makes the caller the owner: it replaces the token in the store by token, atomically with reading what it
	// returns. From then on every Commit that follows an earlier token fails with ErrFenced. Repeating it with a fresh
	// token is safe. Errors: ErrUnavailable, *HardStop.
	Claim(ctx context.Context, token Token) (State, error)

	// Load reads profiles and due lists; see Load. It changes nothing. Errors: ErrUnavailable; ErrFenced where the state
	// is no longer as this owner left it, so that nothing is decided on a stale copy.
	Load(ctx context.Context, l *Load) error

	// Commit applies c as a whole, or not at all, and only while c.Previous is the token in the store. Errors: ErrFenced
	// (not applied: the store holds another token), ErrUnavailable (it may or may not have been applied), *HardStop (not
	// applied: the store refuses writes, for instance because it is full). After any of them Commit fails until the next
	// Claim.
	Commit(ctx context.Context, c *Commit) error

	// Close closes the connections. Committed state stays.
	Close() error
}

// State is what Claim reads.
type State struct {
	Exists bool        // false: no commit of this partition has ever been made, or the store was emptied
	Meta   Meta        // zero unless Exists
	Outbox [][]byte    // entries not yet dropped, oldest first, as given to Commit
	Packs  []PackBytes // those of Meta.Packs that are kept
	Held   []HeldEntry // raises, in any order; one may come twice

	Holds   Holdings
	Missing []int64 // of Meta.Buckets, those that are not there
}

// Load reads profiles and due lists in one round trip. The caller owns and reuses it; the answers alias memory of the
// Store and are valid until its next Load.
type Load struct {
	Keys    [][]byte // customers' keys
	Buckets []int64  // due buckets

	Profiles [][]byte // answer, parallel to Keys: the encoded profile, nil where there is none
	Due      [][]byte // answer, parallel to Buckets: the entries appended to it, in order; nil where there is none
}

// Commit is all changes of one batch. The slices alias the worker's buffers and must not be kept.
type Commit struct {
	Previous, Token Token
	Meta            Meta

	Keys     [][]byte // customers written, each once
	Profiles [][]byte // parallel to Keys: the encoded profile; nil removes the customer

	Due   []DueEntries // appended to due buckets, or in their place, each bucket at most once
	Swept []int64      // due buckets to remove; never one that is also in Due

	Held []HeldEntry // raises that begin or cease to be held, each once

	Answered []string // ids of what was asked and is done: it is removed; see Asked

	Packs []PackBytes // to keep for good: a stored one does not change

	Outbox  [][]byte // entries appended
	Dropped int      // how many of the oldest entries were published and are removed; removed before Outbox is appended

	Holds Holdings // answer, where it was applied: what the store holds then
}

// DueEntries are self-delimiting entries (see AppendDue) for one bucket.
type DueEntries struct {
	Bucket  int64 // number since the epoch
	Entries []byte
	Whole   bool // in the place of what the bucket holds; then there are some
}
