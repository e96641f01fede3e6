package pack

import (
	"slices"
	"strings"

	"ebb/scoring/profile"
)

// Fact is a short text of a customer's events that its alerts show: the property of the newest event of a signal.
type Fact struct {
	Name     string
	Mark     uint16 // of Name, as MarkOf makes it: identifies the fact in states, whatever its place in a later pack
	Signal   uint64 // its bit
	Property int    // index into the pack's properties
}

// Carries reports whether one of the pack's facts has this mark.
func (k *Pack) Carries(mark uint16) bool {
	return slices.ContainsFunc(k.Carry, func(f Fact) bool { return f.Mark == mark })
}

// Facts are those of a customer that the pack carries, by name.
func (k *Pack) Facts(of profile.Facts) func(yield func(name string, text []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for i := range k.Carry {
			if text := of.Text(k.Carry[i].Mark); text != nil && !yield(k.Carry[i].Name, text) {
				return
			}
		}
	}
}

// carryFile is a fact as written.
type carryFile struct {
	Of       string `json:"of"       yaml:"of"`
	Property string `json:"property" yaml:"property"`
}

// checkCarry notes what is wrong with the facts.
func (f *file) checkCarry() {
	if len(f.Carry) > profile.MaxFacts {
		f.broken("carry", "%d facts, at most %d", len(f.Carry), profile.MaxFacts)
	}
	marked := map[uint16]string{}
	for name, c := range sorted(f.Carry) {
		at := f.at("carry") + "." + name
		f.checkShort(at, name)
		if other, taken := marked[MarkOf(name)]; taken {
			f.broken(at, "is stored under the same number as %s, must have another name", other)
		}
		marked[MarkOf(name)] = name
		if c.Of == "" {
			f.broken(at+".of", "is missing, must be a signal")
		}
		f.checkSignalNamed(at+".of", c.Of)
		f.checkPath(at+".property", c.Property)
		for place, path := range map[string]string{at: name, at + ".property": c.Property} {
			if word := personal(path); word != "" {
				f.broken(place, "%q names a person, an address or a secret (%s), which no fact may", path, word)
			}
		}
	}
}

// Words that a fact and the path of its property may not have in their names: whole ones, and parts of the name written
// together. This is a guard against a slip, and none against intent.
var (
	personalWords = []string{ //nolint:gochecknoglobals // a table
		"mail", "tel", "mobile", "cell", "fax", "street", "zip", "postal", "iban", "bic", "cvv", "cvc", "pin", "ssn", "dob",
		"ip", "lat", "lng", "lon", "token", "secret",
	}
	personalParts = []string{ //nolint:gochecknoglobals // a table
		"email", "phone", "address", "postcode", "zipcode", "latitude", "longitude", "password", "passwd", "credential",
		"creditcard", "cardnumber", "accountnumber", "birth", "firstname", "lastname", "fullname", "username", "surname",
		"customername",
	}
)

// personal is the word for which a name is refused; empty: there is none.
func personal(name string) string {
	var parted []rune
	lower := false
	for _, r := range name {
		if r >= 'A' && r <= 'Z' && lower {
			parted = append(parted, ' ')
		}
		lower = r >= 'a' && r <= 'z'
		parted = append(parted, r)
	}
	words := strings.FieldsFunc(strings.ToLower(string(parted)), func(r rune) bool { return !isLetter(r) && !isDigit(r) })
	for _, w := range words {
		if slices.Contains(personalWords, w) {
			return w
		}
	}
	whole := strings.Join(words, "")
	for _, part := range personalParts {
		if strings.Contains(whole, part) {
			return part
		}
	}
	return ""
}

// buildCarry compiles the facts, by name.
func (k *Pack) buildCarry(f *file) {
	for name, c := range sorted(f.Carry) {
		k.Carry = append(k.Carry, Fact{
			Name: name, Mark: MarkOf(name),
			Signal:   1 << slices.Index(k.signalNames, c.Of),
			Property: slices.Index(k.properties, c.Property),
		})
	}
}

// carries reports whether a fact is of a signal.
func (f *file) carries(signal string) bool {
	for _, c := range f.Carry {
		if c.Of == signal {
			return true
		}
	}
	return false
}
