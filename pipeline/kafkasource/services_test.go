//go:build integration

package kafkasource_test

import (
	"os"
	"testing"

	"ebb/pipeline/linetest/services"
)

// TestMain finds or starts the Kafka of this package's tests.
func TestMain(m *testing.M) { os.Exit(services.Main(m, services.Kafka)) }
