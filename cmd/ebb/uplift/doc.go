// Package uplift is what acting on alerts has brought about: it compares customers whose alerts were acted on with those
// who were held out, by the alerts that a group has published about both.
package uplift
