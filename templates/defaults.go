package templates

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed defaults
var embedded embed.FS

// Defaults returns the built-in templates, laid out as a templates folder
// (default/notification/...), so that an operator can start from a copy.
func Defaults() fs.FS {
	sub, err := fs.Sub(embedded, "defaults")
	if err != nil { // only for an invalid path, and this one is constant
		panic(err)
	}
	return sub
}

func loadDefaults() (folder, error) {
	f, err := loadFolder(Defaults(), DefaultGlobalTemplate)
	if err != nil {
		return nil, fmt.Errorf("built-in templates: %w", err)
	}
	for _, s := range f {
		s.path, s.builtIn = "built-in:"+s.path, true
	}
	return f, nil
}
