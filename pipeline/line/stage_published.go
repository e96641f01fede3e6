package line

// Repeated is the reason of a decision that was published before the state was rolled back.
const Repeated = "repeated"

// withholdPublished withholds decisions that a replay repeats: see pipeline.Mark.
func withholdPublished(d *decided) string {
	if d.Mark.Covers(&d.Entry) {
		return Repeated
	}
	return ""
}
