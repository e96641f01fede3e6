package decode

import (
	"fmt"
	"strings"

	"ebb/pipeline"
)

// maxPointerStep bounds one step of a pointer, in bytes.
const maxPointerStep = 256

// parsePointer splits a JSON Pointer (RFC 6901) into its steps: /user/id, /items/0/sku. In a step ~1 stands for a slash
// and ~0 for a tilde. A step that is a number is an array's element, from 0, or an object's member of that name.
func parsePointer(s string) (steps []string, err error) {
	if !strings.HasPrefix(s, "/") {
		return nil, fmt.Errorf("want a JSON pointer such as /user/id, found %q%s", s, pointerMeant(s))
	}
	steps = strings.Split(s[1:], "/")
	if len(steps) > pipeline.MaxDepth {
		return nil, fmt.Errorf("%q leads %d levels down, and records have at most %d", s, len(steps), pipeline.MaxDepth)
	}
	for i, step := range steps {
		plain := strings.NewReplacer("~0", "", "~1", "").Replace(step)
		if strings.Contains(plain, "~") {
			return nil, fmt.Errorf("%q has a ~ that is neither ~0 (a tilde) nor ~1 (a slash)", s)
		}
		steps[i] = strings.NewReplacer("~0", "~", "~1", "/").Replace(step)
		if len(steps[i]) > maxPointerStep {
			return nil, fmt.Errorf("%.40q… has a name of more than %d bytes", s, maxPointerStep)
		}
	}
	return steps, nil
}

// pointerMeant suggests a pointer for $.items[0].sku or items.0.sku.
func pointerMeant(s string) string {
	s = strings.NewReplacer("[", ".", "]", "", "'", "", `"`, "", "~", "~0", "/", "~1").Replace(strings.TrimPrefix(s, "$"))
	steps := strings.FieldsFunc(s, func(r rune) bool { return r == '.' })
	if len(steps) == 0 {
		return ""
	}
	return "; did you mean /" + strings.Join(steps, "/") + "?"
}

// elementIndex is the array's element of a step; -1 where it is no index.
func elementIndex(step string) int {
	const longest = 9 // digits
	if step == "" || len(step) > longest || step[0] == '0' && len(step) > 1 {
		return -1
	}
	n := 0
	for _, c := range []byte(step) {
		if c -= '0'; c > 9 {
			return -1
		}
		n = 10*n + int(c)
	}
	return n
}
