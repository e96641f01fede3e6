package secure

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// part is a part of the credentials that is read from files that belong together.
type part struct {
	key   string // of the configuration
	files []string
	used  [][]byte                   // the files' content when it was last usable
	use   func(texts [][]byte) error // uses the content, or leaves everything as it was
	said  string                     // the problem that was logged last
}

// read reads the files and uses their content, if it has changed.
func (p *part) read(readFile func(string) ([]byte, error)) (changed bool, err error) {
	texts := make([][]byte, len(p.files))
	for i, name := range p.files {
		if texts[i], err = readFile(name); err != nil {
			return false, p.unreadable(i, err)
		}
	}
	if slices.EqualFunc(texts, p.used, bytes.Equal) {
		return false, nil
	}
	if err := p.use(texts); err != nil {
		return false, err
	}
	p.used = texts
	return true, nil
}

func (p *part) unreadable(i int, err error) error {
	if pe, ok := err.(*fs.PathError); ok { //nolint:errorlint // only the outermost holds the name that is cut
		err = pe.Err
	}
	role := ""
	if i > 0 {
		role = ", its key,"
	}
	return fmt.Errorf("%s%s cannot be read: %w", p.files[i], role, err)
}

// usePassword uses the one line of the file.
func (c *Credentials) usePassword(texts [][]byte) error {
	text := bytes.TrimRight(texts[0], "\r\n")
	switch {
	case len(text) == 0:
		return errors.New(c.src.PasswordFile + " is empty")
	case bytes.ContainsAny(text, "\r\n"):
		return errors.New(c.src.PasswordFile + " has more than one line")
	}
	c.password = string(text)
	return nil
}
