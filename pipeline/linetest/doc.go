// Package linetest holds the tests of the whole program: ebb as a process, between a real Kafka and a real Redis,
// killed, paused, cut off and rolled back. The fold in package oracle determines the expected alerts.
//
// Build tag integration: needs Kafka and Redis, from EBB_TEST_KAFKA and EBB_TEST_REDIS, else by testcontainers-go. The
// tag reference adds the tests on the public logs of the shared folder.
package linetest
