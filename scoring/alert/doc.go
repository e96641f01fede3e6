// Package alert renders a decision as the published JSON, with its reasons in words, and explains an alert again from
// its own content.
package alert
