// Package config is everything that can be set: one YAML file, overridden by the environment and by flags. All that is
// wrong is reported at once, each with its place.
package config
