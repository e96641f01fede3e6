package connect

import (
	"errors"
	"fmt"
	"slices"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/secure"
)

// NotAllowed is the refusal of the named operations that a command needs. The brokers' own answer does not name them.
func NotAllowed(what string, missing ...kafkawire.Operation) error {
	return &pipeline.Denied{
		Code:   secure.CodePermission,
		Detail: fmt.Sprintf("%s on %s is not allowed (%s)", inWords(missing), what, secure.CodePermission),
		Do:     "allow ebb's user " + inWords(missing) + "; docs/security.md lists all that each command needs",
	}
}

// checkTopicAllowed finds in the brokers' answer about a topic the missing ones of the operations that a command needs.
// nil: none is known to be missing.
func checkTopicAllowed(t *kafkawire.Topic, err error, name string, needs ...kafkawire.Operation) error {
	missing := t.May.Lacks(needs...)
	if errors.Is(err, kafkawire.TopicDenied) { // hidden, while each of these permissions would show it
		missing = slices.DeleteFunc(
			slices.Clone(needs),
			func(op kafkawire.Operation) bool { return op == kafkawire.DescribeConfigs },
		)
	}
	if len(missing) == 0 {
		return nil
	}
	return NotAllowed("topic "+name, missing...)
}

// inWords joins operations: READ, WRITE and DESCRIBE_CONFIGS.
func inWords(operations []kafkawire.Operation) (text string) {
	for i, op := range operations {
		switch {
		case i == 0:
		case i == len(operations)-1:
			text += " and "
		default:
			text += ", "
		}
		text += string(op)
	}
	return text
}
