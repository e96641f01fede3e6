package deliverer

import (
	"bytes"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSampleIsAnAlert: a receiver that reads by the schema takes it; no two have the same id.
func TestSampleIsAnAlert(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/alert.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 2, 28, 23, 59, 59, 0, time.FixedZone("", 3600))
	sample := Sample(now)
	read, err := jsonschema.UnmarshalJSON(bytes.NewReader(sample.Body))
	if err == nil {
		err = schema.Validate(read)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, sample.Body)
	}
	if !bytes.Contains(sample.Body, []byte(`"id":"`+sample.ID+`"`)) || Sample(now).ID == sample.ID {
		t.Errorf("id %s of %s", sample.ID, sample.Body)
	}
}
