package eventlog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// Entry is one event of a log file as it goes to the input topic. Its slices are valid until the next call of Next.
type Entry struct {
	Key   []byte // the customer
	Value []byte // JSON; in ebb's flat envelope unless the line came in another
	Time  int64  // event time, ms since the epoch; 0: the line has none
	Line  int    // from 1
}

// LineError is a line that cannot be used. Reading goes on after it.
type LineError struct {
	Name string
	Line int
	Text string
}

// Error names the place in the form that editors can open.
func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Text) }

// File reads an event log: NDJSON or CSV, plain or gzipped, recognised by its content. One goroutine uses it.
type File struct {
	Name   string // for messages
	source string // in front of the line number in the ids of events without one; "": they get none
	Size   int64  // bytes as stored; -1: unknown
	stored countingReader
	in     *bufio.Reader
	close  []io.Closer

	Line    int
	pending []byte // the first line, where detect has read it and it is an event
	spill   []byte // a line longer than the buffer of in
	isCSV   bool
	builder flatBuilder
	decoder *decode.Decoder
	event   pipeline.Event

	mappedAll bool // the configured mapping takes every record
}

// CSVHeader is the first line of a CSV log.
const CSVHeader = "customer_id,ts_unix_seconds,event_type,value"

// Bounds of reading, in bytes.
const (
	lineBuffer = 256 << 10
	maxLine    = 64 << 20
)

// Stdin stands for standard input among file names.
const Stdin = "-"

// Open opens the log called name; "-" is stdin. Events without an id are given one of the file's base name and the
// line. Those of stdin get none: numbers start again with every run and would make different events look the same. m is
// how JSON in no known envelope is read.
func Open(name string, stdin io.Reader, m *config.Mapping) (*File, error) {
	f, err := OpenLines(name, stdin)
	if err != nil {
		return nil, err
	}
	f.decoder, f.mappedAll = decode.NewMapped(0, m.Compiled), m.All()
	if err := f.detect(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// OpenLines opens the file called name for its lines only; "-" is stdin.
func OpenLines(name string, stdin io.Reader) (*File, error) {
	f := &File{Name: name, Size: -1}
	if name == Stdin {
		f.Name, f.stored.r = "stdin", stdin
	} else {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("open %s: %s", name, advice.FileCause(err))
		}
		f.close = append(f.close, file)
		f.source, f.stored.r = filepath.Base(name), file
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			f.Size = info.Size()
		}
	}
	if err := f.unpack(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// unpack finds out from the first bytes whether the file is gzipped. It skips a byte order mark.
func (f *File) unpack() error {
	f.in = bufio.NewReaderSize(&f.stored, lineBuffer)
	if head, _ := f.in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(f.in)
		if err != nil {
			return fmt.Errorf("read %s: %w", f.Name, err)
		}
		f.close = append(f.close, z)
		f.in = bufio.NewReaderSize(z, lineBuffer)
	}
	if mark, _ := f.in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = f.in.Discard(len(mark))
	}
	return nil
}

// detect finds out from the first line whether the file is CSV or NDJSON.
func (f *File) detect() error {
	first, err := f.NextLine()
	switch {
	case errors.Is(err, io.EOF):
		return nil // an empty log
	case err != nil:
		return err
	case string(first) == CSVHeader:
		f.isCSV = true
		return nil
	case first[0] == '{':
		f.pending = bytes.Clone(first)
		return nil
	}
	return &LineError{
		f.Name,
		f.Line,
		fmt.Sprintf("neither a JSON object nor the CSV header %q, found %q", CSVHeader, advice.Clip(first, 60)),
	}
}

// Next reads the next event into e. Errors: io.EOF at the end, *LineError for a line that cannot be used, after which
// reading may go on; any other ends the log.
func (f *File) Next(e *Entry) error {
	line, err := f.NextLine()
	if err != nil {
		return err
	}
	f.decoder.Reset()
	*e = Entry{Line: f.Line}
	problem := ""
	if f.isCSV {
		problem = f.readCSV(line, e)
	} else {
		problem = f.readJSON(line, e)
	}
	if problem != "" {
		return &LineError{f.Name, f.Line, problem}
	}
	return nil
}

// NextLine returns the next line that is not blank, without its end. It is valid until the next call.
func (f *File) NextLine() ([]byte, error) {
	if line := f.pending; line != nil {
		f.pending = nil
		return line, nil
	}
	for {
		line, err := f.rawLine()
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil // an error after the last line is returned again by the next call
		}
		if err != nil {
			return nil, err
		}
	}
}

func (f *File) rawLine() ([]byte, error) {
	f.Line++
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
		return nil, &LineError{f.Name, f.Line, fmt.Sprintf("longer than %s", advice.FormatSize(maxLine))}
	}
	f.spill = append(f.spill, line...)
	return f.spill, f.readError(err)
}

func (f *File) readError(err error) error {
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s ends in the middle, at line %d: the file is cut short", f.Name, f.Line)
	}
	return fmt.Errorf("read %s at line %d: %w", f.Name, f.Line, err)
}

// Event is the event that [File.Next] has read last, as the decoder returns it. It is valid until the next call.
func (f *File) Event() *pipeline.Event { return &f.event }

// Numbered reports whether the ids of the events are the file's name and the line, as in a CSV log, whose events have
// no ids.
func (f *File) Numbered() bool { return f.isCSV }

// Stored is how many bytes of the file have been read, as stored.
func (f *File) Stored() int64 { return f.stored.n }

// Close closes the file. Standard input stays open.
func (f *File) Close() {
	for _, c := range f.close {
		_ = c.Close() // it was only read
	}
}

// countingReader counts the bytes read through it.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
