package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is the version of a released program, set by the linker; see deployments/Dockerfile.
var release string //nolint:gochecknoglobals // the linker can only set variables

// version identifies the program: by its release, or by the commit that it was built from.
func version() string {
	v, info := release, new(debug.BuildInfo)
	if b, ok := debug.ReadBuildInfo(); ok {
		info = b
	}
	if v == "" {
		v = "devel"
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision" && len(s.Value) >= 12:
				v += "-" + s.Value[:12]
			case s.Key == "vcs.modified" && s.Value == "true":
				v += "-dirty"
			}
		}
	}
	return fmt.Sprintf("%s (%s, %s/%s)", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
