package pack

// Reasons are the codes of all reasons with their sentences in English: a closed list.
func Reasons() map[string]string {
	c := readCatalogue()
	all := make(map[string]string, len(c.sentences))
	for code, s := range c.sentences {
		all[code] = s.String()
	}
	return all
}

// Codes of the core's reasons. They are a contract, as are all of the catalogue (reasons/en.yaml), which holds a
// sentence for each.
const (
	ReasonOverdue        = "overdue"         // silent for longer than usual
	ReasonSuchSilences   = "such_silences"   // how many silences like this one lasted a horizon more
	ReasonFewSilences    = "few_silences"    // too few of them are known to say it
	ReasonLittleActivity = "little_activity" // little recent activity
	ReasonNewCustomer    = "new_customer"    // no long history
	ReasonFriction       = "friction"        // recent negative events
	ReasonBack           = "back"            // came back
	ReasonStayed         = "stayed"          // ends an explicit episode
	ReasonPaid           = "paid"            // ends an involuntary one
	ReasonSettled        = "settled"         // ends one of failed service
	ReasonRanOut         = "ran_out"         // ends one by expiry
	ReasonConverted      = "converted"       // the pack's value action followed a lapse
	ReasonGone           = "gone"            // ends a lapse as churned
	ReasonCorrected      = "corrected"       // was not silent for so long when a lapse was raised
)

const (
	MinShare = 0.1 // log-odds below which a term or a factor is no reason
)

// coreReasons are the codes that alerts of every pack can have.
func coreReasons() []string {
	return []string{
		ReasonOverdue, ReasonSuchSilences, ReasonFewSilences, ReasonLittleActivity, ReasonNewCustomer, ReasonFriction,
		ReasonBack, ReasonStayed, ReasonPaid, ReasonSettled, ReasonRanOut,
		ReasonConverted, ReasonGone, ReasonCorrected,
	}
}
