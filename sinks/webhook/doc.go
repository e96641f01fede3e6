// Package webhook posts alerts to an HTTP endpoint, signed by Standard Webhooks (https://www.standardwebhooks.com).
package webhook
