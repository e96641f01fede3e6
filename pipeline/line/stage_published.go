package line

// Repeated is the reason for which nothing goes out that was published before the state was rolled back.
const Repeated = "repeated"

// withholdPublished withholds what is decided once more in a replay: see pipeline.Mark.
func withholdPublished(d *decided) string {
	if d.Mark.Covers(&d.Entry) {
		return Repeated
	}
	return ""
}
