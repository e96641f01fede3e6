package decode_test

import (
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// TestEraseByRules: what was read before records erased customers erases nobody in a replay.
func TestEraseByRules(t *testing.T) {
	records := map[string]pipeline.Record{
		"type":    {Value: []byte(`{"customer":"c","type":"erase","time":1772357400}`)},
		"segment": {Value: []byte(`{"type":"delete","userId":"c","timestamp":1772357400}`)},
		"header": {
			Value: []byte(
				`{"customer":"c","type":"gone","time":1772357400}`,
			),
			Headers: encodeHeaders(pipeline.EraseHeader, "kim"),
		},
	}
	for rules := 1; rules <= decode.Rules; rules++ {
		d, err := decode.Of(&pipeline.Settings{Rules: rules})
		if err != nil {
			t.Fatal(err)
		}
		for name, r := range records {
			var e pipeline.Event
			d.Reset()
			if d.Decode(&r, &e); e.Erase != (rules > 1) {
				t.Errorf("%s, by rules %d: %+v", name, rules, e)
			}
		}
	}
}
