// Package images tests the container files in deployments: it builds the image, inspects it, and runs it with Kafka and
// Redis as in the compose file. EBB_TEST_GO_IMAGE, EBB_TEST_KAFKA_IMAGE and EBB_TEST_REDIS_IMAGE name the images to use
// where the public ones cannot be reached. Without the first, an image is made of this machine's Go toolchain.
package images
