package webhook

import (
	"fmt"
	"iter"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// lookEvery is how often a file is looked at, at most.
const lookEvery = 5 * time.Second

// entries are the lines of a file with their numbers, without empty ones and those that begin with #.
func entries(text string) iter.Seq2[int, string] {
	return func(yield func(number int, line string) bool) {
		number := 0
		for line := range strings.Lines(text) {
			number++
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' && !yield(number, line) {
				return
			}
		}
	}
}

// followed is a file that is read again when it has changed. What cannot be used leaves everything as it was. Any
// goroutine may use it.
type followed[T any] struct {
	path  string
	parse func(text string) (T, error)
	log   zerolog.Logger

	mu     sync.Mutex
	used   bool // text and value are there
	text   string
	value  T
	looked time.Time
	said   string // the problem that was logged last
}

// follow reads the file at path, which has to be usable.
func follow[T any](path string, log zerolog.Logger, parse func(text string) (T, error)) (*followed[T], error) {
	f := &followed[T]{path: path, parse: parse, log: log, looked: time.Now()}
	if _, err := f.read(); err != nil {
		return nil, err
	}
	return f, nil
}

// current is the newest usable content.
func (f *followed[T]) current() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.looked) >= lookEvery {
		f.looked = now
		f.look()
	}
	return f.value
}

// look reads the file again and logs what became of it, once.
func (f *followed[T]) look() {
	changed, err := f.read()
	switch {
	case err == nil && changed:
		f.log.Info().Str("file", f.path).Msg("changed file read, new requests use it")
	case err != nil && err.Error() != f.said:
		f.said = err.Error()
		f.log.Error().Err(err).Msg("changed file cannot be used, going on with what was read before")
	}
	if err == nil {
		f.said = ""
	}
}

// read reads the file, and uses it if it has changed.
func (f *followed[T]) read() (changed bool, err error) {
	text, err := os.ReadFile(f.path)
	if err != nil {
		return false, err
	}
	if f.used && string(text) == f.text {
		return false, nil
	}
	value, err := f.parse(string(text))
	if err != nil {
		return false, fmt.Errorf("%s: %w", f.path, err)
	}
	f.used, f.text, f.value = true, string(text), value
	return true, nil
}
