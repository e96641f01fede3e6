// Package images tests what deployments holds for containers: the image is built, looked into, and run with Kafka and
// Redis as the compose file says. EBB_TEST_GO_IMAGE, EBB_TEST_KAFKA_IMAGE and EBB_TEST_REDIS_IMAGE name the images to
// use where the public ones are out of reach; without the first, one is made of this machine's Go toolchain.
package images
