// Package linetest holds the tests of the whole program: ebb as a process, between a real Kafka and a real Redis,
// killed, paused, cut off and rolled back. What its alerts must be, the fold in package oracle says.
//
// Build tag integration: needs Kafka and Redis, from EBB_TEST_KAFKA and EBB_TEST_REDIS, else by testcontainers-go. With
// tag reference beside it, also the tests on the public logs of the shared folder.
package linetest
