package xmlresp

import "strconv"

// Version answers GET /version (contract 1.5).
type Version struct {
	Major int64
	Build int64
}

func (v Version) element() element {
	return element{name: "version", attrs: []attr{
		{name: "major", value: v.Major},
		{name: "build", value: v.Build},
		{name: "string", value: v.Text()},
	}}
}

// Text returns the version as one text.
func (v Version) Text() string {
	return strconv.FormatInt(v.Major, 10) + "." + strconv.FormatInt(v.Build, 10)
}

// Before reports whether v is of that major version and before that build.
func (v Version) Before(major, build int64) bool { return v.Major == major && v.Build < build }
