// Package config is everything that can be set: one YAML file, overridden by the environment and by flags. Load reports
// all problems at once, each with its place.
package config
