package zone

import (
	"archive/zip"
	"bytes"
	_ "embed" // of the database
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Version is that of the tz database in this folder. An alert follows from it, so it is no matter of the machine:
// docs/adr/0036-contact.md says how it is replaced.
const Version = "2025c"

//go:embed zoneinfo.zip
var archive []byte

// Mark stands for the name of a zone in states; 0: none. A name that the database once had it keeps.
type Mark uint32

// Zone is a time zone of the database.
type Zone struct {
	Name string // such as Europe/Paris
	Mark Mark

	location func() *time.Location
}

// zones are those of the database.
type zones struct {
	named  map[string]*Zone
	marked map[Mark]*Zone
}

var database = sync.OnceValue(readDatabase) //nolint:gochecknoglobals // of constants; read when it is first needed

func readDatabase() *zones {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		panic("BUG: tz database: " + err.Error())
	}
	all := &zones{named: map[string]*Zone{}, marked: map[Mark]*Zone{}}
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		one := &Zone{Name: f.Name, Mark: Mark(xxhash.Sum64String(f.Name))}
		one.location = sync.OnceValue(func() *time.Location { return read(f) })
		all.named[one.Name], all.marked[one.Mark] = one, one
	}
	return all
}

// read is the location in a file of the database.
func read(f *zip.File) *time.Location {
	r, err := f.Open()
	if err != nil {
		panic("BUG: tz database: " + err.Error())
	}
	data, err := io.ReadAll(r)
	if err != nil {
		panic("BUG: tz database: " + err.Error())
	}
	location, err := time.LoadLocationFromTZData(f.Name, data)
	if err != nil {
		panic("BUG: tz database: " + err.Error())
	}
	return location
}

// Named is the zone of a name, as it is spelt in the database; nil: there is none.
func Named(name []byte) *Zone { return database().named[string(name)] }

// Marked is the zone of a mark; nil: there is none. For the mark of none the database is not read: most alerts have it.
func Marked(mark Mark) *Zone {
	if mark == 0 {
		return nil
	}
	return database().marked[mark]
}

// Load is the location of a zone's name. Errors: there is no such zone.
func Load(name string) (*time.Location, error) {
	z := Named([]byte(name))
	if z == nil {
		return nil, fmt.Errorf("no time zone %q in the tz database %s", name, Version)
	}
	return z.location(), nil
}
