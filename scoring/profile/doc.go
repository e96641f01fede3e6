// Package profile holds a customer's rolling state with its codec, and what customers share: the population, and the
// closed lists of kinds, stages and tiers.
package profile
