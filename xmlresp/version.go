package xmlresp

import "strconv"

// Version answers GET /version (contract 1.5).
type Version struct {
	Major int64
	Build int64
}

func (v Version) element() element {
	return element{name: "version", attrs: []attr{
		{"major", v.Major},
		{"build", v.Build},
		{"string", strconv.FormatInt(v.Major, 10) + "." + strconv.FormatInt(v.Build, 10)},
	}}
}
