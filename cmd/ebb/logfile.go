package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// logEntry is one event of a log file as it goes to the input topic. Its slices are valid until the next call of Next.
type logEntry struct {
	Key   []byte // the customer
	Value []byte // JSON; in ebb's flat envelope unless the line came in another
	Time  int64  // event time, ms since the epoch; 0: the line tells none
	Line  int    // from 1
}

// lineError is a line that cannot be used. Reading goes on behind it.
type lineError struct {
	Name string
	Line int
	Text string
}

// Error gives the place in the form that editors can open.
func (e *lineError) Error() string { return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Text) }

// logFile reads an event log: NDJSON or CSV, plain or gzipped, told apart by what is in it. One goroutine uses it.
type logFile struct {
	name   string // for messages
	source string // in front of the line number in the ids of events that have none; "": they get none
	size   int64  // bytes as stored; -1: unknown
	stored countingReader
	in     *bufio.Reader
	close  []io.Closer

	line    int
	pending []byte // the first line, where it was looked at and is an event
	spill   []byte // a line longer than the buffer of in
	isCSV   bool
	builder flatBuilder
	decoder *decode.Decoder
	event   pipeline.Event

	mappedAll bool // the configured mapping takes every record
}

// csvHeader is the first line of a CSV log.
const csvHeader = "customer_id,ts_unix_seconds,event_type,value"

// Bounds of reading, in bytes.
const (
	lineBuffer = 256 << 10
	maxLine    = 64 << 20
)

// stdinName stands for standard input among file names.
const stdinName = "-"

// openLogFile opens the log called name; "-" is stdin. Events without an id are given one of the file's base name and the line.
// Those of stdin get none: numbers that begin anew with every run would make different events look the same.
// m is how JSON in no known envelope is read.
func openLogFile(name string, stdin io.Reader, m *MappingConfig) (*logFile, error) {
	f, err := openLines(name, stdin)
	if err != nil {
		return nil, err
	}
	f.decoder, f.mappedAll = decode.NewMapped(0, m.compiled), m.Records == mapAll
	if err := f.detect(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// openLines opens the file called name for its lines alone; "-" is stdin.
func openLines(name string, stdin io.Reader) (*logFile, error) {
	f := &logFile{name: name, size: -1}
	if name == stdinName {
		f.name, f.stored.r = "stdin", stdin
	} else {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("open %s: %s", name, plainFileError(err))
		}
		f.close = append(f.close, file)
		f.source, f.stored.r = filepath.Base(name), file
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			f.size = info.Size()
		}
	}
	if err := f.unpack(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// unpack looks at the first bytes: gzip or not. A byte order mark is passed over.
func (f *logFile) unpack() error {
	f.in = bufio.NewReaderSize(&f.stored, lineBuffer)
	if head, _ := f.in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(f.in)
		if err != nil {
			return fmt.Errorf("read %s: %w", f.name, err)
		}
		f.close = append(f.close, z)
		f.in = bufio.NewReaderSize(z, lineBuffer)
	}
	if mark, _ := f.in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = f.in.Discard(len(mark))
	}
	return nil
}

// detect looks at the first line: CSV or NDJSON.
func (f *logFile) detect() error {
	first, err := f.nextLine()
	switch {
	case errors.Is(err, io.EOF):
		return nil // an empty log
	case err != nil:
		return err
	case string(first) == csvHeader:
		f.isCSV = true
		return nil
	case first[0] == '{':
		f.pending = bytes.Clone(first)
		return nil
	}
	return &lineError{f.name, f.line, fmt.Sprintf("neither a JSON object nor the CSV header %q, found %q", csvHeader, clip(first, 60))}
}

// Next reads the next event into e. Errors: io.EOF at the end, *lineError for a line that cannot be used, after which
// reading may go on; any other ends the log.
func (f *logFile) Next(e *logEntry) error {
	line, err := f.nextLine()
	if err != nil {
		return err
	}
	f.decoder.Reset()
	*e = logEntry{Line: f.line}
	problem := ""
	if f.isCSV {
		problem = f.readCSV(line, e)
	} else {
		problem = f.readJSON(line, e)
	}
	if problem != "" {
		return &lineError{f.name, f.line, problem}
	}
	return nil
}

// nextLine returns the next line that is not blank, without its end. It is valid until the next call.
func (f *logFile) nextLine() ([]byte, error) {
	if line := f.pending; line != nil {
		f.pending = nil
		return line, nil
	}
	for {
		line, err := f.rawLine()
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil // an error behind the last line comes again with the next call
		}
		if err != nil {
			return nil, err
		}
	}
}

func (f *logFile) rawLine() ([]byte, error) {
	f.line++
	line, err := f.in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, f.readError(err)
	}
	f.spill = f.spill[:0]
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(f.spill) <= maxLine {
			f.spill = append(f.spill, line...)
		}
		line, err = f.in.ReadSlice('\n')
	}
	if len(f.spill)+len(line) > maxLine {
		return nil, &lineError{f.name, f.line, fmt.Sprintf("longer than %s", formatSize(maxLine))}
	}
	f.spill = append(f.spill, line...)
	return f.spill, f.readError(err)
}

func (f *logFile) readError(err error) error {
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s ends in the middle, at line %d: the file is cut short", f.name, f.line)
	}
	return fmt.Errorf("read %s at line %d: %w", f.name, f.line, err)
}

// Stored is how many bytes of the file have been read, as stored.
func (f *logFile) Stored() int64 { return f.stored.n }

// Close closes the file. Standard input stays open.
func (f *logFile) Close() {
	for _, c := range f.close {
		_ = c.Close() // it was only read
	}
}

// countingReader counts what passes through it.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// clip shortens text for a message.
func clip(b []byte, n int) string {
	if len(b) <= n {
		return string(b)
	}
	return string(b[:n]) + "…"
}
