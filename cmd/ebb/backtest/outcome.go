package backtest

// Outcome is the report, and how the run went.
type Outcome struct {
	*Report
	Unmeasured error   `json:"-"` // why nothing was measured; nil: it was
	Log        string  `json:"log"`
	Skipped    int64   `json:"skipped"`             // lines that could not be used
	Anonymous  int64   `json:"anonymous,omitempty"` // events of visitors who are not known
	Seconds    float64 `json:"seconds"`
	MiB        int64   `json:"memory_mib"` // taken from the system
}
