//go:build integration

package webhook_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestDocumentVerifiesInPython runs what docs/deliver.md tells receivers to write, on what is sent.
func TestDocumentVerifiesInPython(t *testing.T) {
	text, err := os.ReadFile("../../docs/deliver.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(text), "```python\n")
	code, _, found := strings.Cut(code, "```")
	if !found {
		t.Fatal("docs/deliver.md has no Python")
	}
	now, body := time.Now(), `{"id":"a","customer":"Zoë"}`
	signature, err := secrets(t, secretOf("b"), secret).Sign("a", now, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(secret string, at time.Time, body string) string {
		t.Helper()
		call := fmt.Sprintf(
			"%s\nprint(verified(%q, {'webhook-id': 'a', 'webhook-timestamp': '%d', 'webhook-signature': %q}, %q.encode()))",
			code,
			secret,
			at.Unix(),
			signature,
			body,
		)
		out, err := exec.Command("python3", "-c", call).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	for _, c := range []struct {
		secret string
		at     time.Time
		body   string
		want   string
	}{
		{secret, now, body, "True"},
		{secretOf("b"), now, body, "True"},
		{secretOf("c"), now, body, "False"},
		{secret, now, body + " ", "False"},
		{secret, now.Add(-time.Hour), body, "False"},
	} {
		if got := ask(c.secret, c.at, c.body); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
