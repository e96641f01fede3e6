// Package replay decides everything once more that a group has published, from the first record on, and compares: with
// the same records, control records and packs the alerts have to be the same, byte for byte. The state is built in a
// Redis inside this process; the group and its own state are not touched, and may be at work meanwhile.
package replay
