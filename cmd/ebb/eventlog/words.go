package eventlog

import (
	"fmt"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline"
)

// inWords says what a code means for a line of the file.
func (f *File) inWords(c pipeline.Code) string {
	if c == pipeline.RecordTooLarge {
		return fmt.Sprintf("larger than a record may be (input.max_record_bytes: %s)", advice.FormatSize(int64(f.largest)))
	}
	return CodeInWords(c)
}

// CodeInWords says what a decoder's code means for somebody who looks at the line.
func CodeInWords(c pipeline.Code) string {
	words := map[pipeline.Code]string{
		pipeline.NotJSON:            "not a JSON object, or not UTF-8",
		pipeline.NestedTooDeep:      fmt.Sprintf("JSON nested deeper than %d levels", pipeline.MaxDepth),
		pipeline.CustomerMissing:    "names no customer",
		pipeline.CustomerTooLong:    fmt.Sprintf("the customer is longer than %d bytes", pipeline.MaxCustomer),
		pipeline.CustomerUnreadable: "the customer is neither a text nor a whole number",
		pipeline.TypeMissing:        "has no event type",
		pipeline.TypeUnreadable:     fmt.Sprintf("the event type is no text of at most %d bytes", pipeline.MaxType),
		pipeline.TimeMissing:        "has no event time",
		pipeline.TimeUnreadable:     "the time is neither RFC 3339 nor seconds or milliseconds since 1970",
		pipeline.TimeOutOfRange:     "the time lies before 1971 or after 2200",
		pipeline.ValueUnreadable: "the value is no decimal number with at most the decimals of its currency (two, " +
			"unless it says otherwise)",
		pipeline.CurrencyUnreadable: "the currency is not three letters",
		pipeline.IDUnreadable:       fmt.Sprintf("the id is no text of at most %d bytes", pipeline.MaxID),
		pipeline.TenantUnreadable:   fmt.Sprintf("the tenant is no text of at most %d bytes", pipeline.MaxTenant),
	}[c]
	if words == "" {
		return c.String()
	}
	return words
}
