package secure_test

import (
	"os"
	"strings"
	"testing"

	"ebb/pipeline/secure"
)

// TestCodesAreExplained finds each code of a refusal in docs/security.md.
func TestCodesAreExplained(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{
		secure.CodeUntrusted, secure.CodeWrongName, secure.CodeExpired, secure.CodeRefused, secure.CodeMismatch, secure.CodeLogin,
		secure.CodeMechanism, secure.CodePermission,
	} {
		if strings.Count(string(text), "| `"+code+"` |") != 1 {
			t.Errorf("docs/security.md has no row for %s", code)
		}
	}
}
