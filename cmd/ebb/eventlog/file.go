package eventlog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring/pack"
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
	Path   string // as it was given
	Size   int64  // bytes as stored; -1: unknown
	stored countingReader
	in     *bufio.Reader
	close  []io.Closer

	Line    int
	pending []byte // the first line, where detect has read it and it is an event
	spill   []byte // a line longer than the buffer of in
	packed  bool   // gzipped
	builder flatBuilder
	decoder *decode.Decoder
	event   pipeline.Event

	separator byte   // of the fields of a CSV log; 0: it is NDJSON
	time      []byte // as the newest line of such a log has it, its quotes included
	largest   int    // a record may be, in bytes; 0: as large as it likes

	naming bool // events that have no id are given one
	ids    ids
	input  *config.Input
	idPath []string // to the id in records that the mapping reads; nil: it knows none
}

// Bounds of reading, in bytes.
const (
	lineBuffer = 256 << 10
	maxLine    = 64 << 20
)

// Stdin stands for standard input among file names.
const Stdin = "-"

// Open opens the log called name; "-" is stdin. Events without an id are given one that says what is in their line; see
// ids. Those of stdin get none: whoever sends single events may send the same one twice and mean two. in is how records are
// read.
func Open(name string, stdin io.Reader, in *config.Input) (*File, error) {
	f, err := OpenLines(name, stdin)
	if err != nil {
		return nil, err
	}
	f.decoder, f.input, f.naming = in.Decoder(0), in, name != Stdin
	if paths := in.Mapping.Parts.ID.Paths; len(paths) > 0 {
		f.idPath = pointerSteps(paths[0])
	}
	if err := f.detect(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ReadAs has the file's lines judged as the processor judges them: by its pack, and by the size of a record.
func (f *File) ReadAs(k *pack.Pack) {
	f.decoder = f.input.Decoder(f.input.MaxRecordBytes).Reading(k)
	f.largest = int(f.input.MaxRecordBytes)
}

// OpenLines opens the file called name for its lines alone; "-" is stdin.
func OpenLines(name string, stdin io.Reader) (*File, error) {
	f := &File{Name: name, Path: name, Size: -1}
	if name == Stdin {
		f.Name, f.stored.r = "stdin", stdin
	} else {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("open %s: %s", name, advice.FileCause(err))
		}
		f.close = append(f.close, file)
		f.stored.r = file
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

// unpack looks at the first bytes: gzip or not, UTF-8 or not. A byte order mark is passed over.
func (f *File) unpack() error {
	f.in = bufio.NewReaderSize(&f.stored, lineBuffer)
	if head, _ := f.in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(f.in)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("%s ends in the middle of gzip's header: the file is cut short", f.Name)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", f.Name, err)
		}
		f.close = append(f.close, z)
		f.in, f.packed = bufio.NewReaderSize(z, lineBuffer), true
	}
	if head, _ := f.in.Peek(len("{\x00\"\x00a\x00\"\x00:\x00")); utf16Of(head) != "" {
		name, unpack := f.forShell()
		return advice.Add(fmt.Errorf("%s is UTF-16", f.Name), "save it as UTF-8, and take that file:\n%s > utf8.log",
			strings.TrimSpace(unpack+"iconv -f "+utf16Of(head)+" -t UTF-8 "+name))
	}
	if mark, _ := f.in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = f.in.Discard(len(mark))
	}
	return nil
}

// utf16Of is the name that iconv has for the UTF-16 that a file begins with; "": it begins otherwise. Without a byte
// order mark it is known by its zeros: JSON and CSV begin with characters of ASCII.
func utf16Of(head []byte) string {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return "UTF-16"
	}
	const few = 4
	zeros := [2]int{}
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch half := len(head) / 2; {
	case half < few:
	case zeros[0] == 0 && zeros[1] == half:
		return "UTF-16LE"
	case zeros[1] == 0 && zeros[0] == half:
		return "UTF-16BE"
	}
	return ""
}

// forShell is the file as a word of a command, and where it is gzipped the command that unpacks it instead.
func (f *File) forShell() (name, unpack string) {
	name = shellWord(f.Path)
	if f.Path == Stdin {
		name = "LOG"
	}
	if f.packed {
		return "", "gzip -dc " + name + " | "
	}
	return name, ""
}

// detect finds out from the first line whether the file is CSV or NDJSON.
func (f *File) detect() error {
	first, err := f.NextLine()
	if err == nil && namesSeparator(first) {
		first, err = f.NextLine()
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil // an empty log
	case err != nil:
		return err
	case IsCSVHeader(first):
		f.separator = separatorOf(first)
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
	if f.separator != 0 {
		problem = f.readCSV(line, e)
	} else {
		problem = f.readJSON(line, e)
	}
	if size := len(e.Key) + len(e.Value) + 1; problem == "" && f.largest > 0 && size > f.largest { // 1: no header
		f.event.Code = pipeline.RecordTooLarge
		problem = f.inWords(f.event.Code)
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
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err // what was read of the line is not the line
		}
		if line = trimmed(line); len(line) > 0 {
			return line, nil // the end behind the last line comes again with the next call
		}
		if err != nil {
			return nil, err
		}
	}
}

// trimmed is a line without white space around it, and without the byte order mark that stands in the middle of files
// that were joined.
func trimmed(line []byte) []byte {
	line = bytes.TrimSpace(line)
	if bytes.HasPrefix(line, []byte("\ufeff")) {
		line = bytes.TrimSpace(line[len("\ufeff"):])
	}
	return line
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

// Nameless reports whether the log has no place for ids, as CSV has none: those of its events are made up.
func (f *File) Nameless() bool { return f.separator != 0 }

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
