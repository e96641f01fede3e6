package pack

// ParseCatalogue reads a catalogue, for tests that break one.
func ParseCatalogue(b []byte) error {
	_, err := parseCatalogue(b)
	return err
}
