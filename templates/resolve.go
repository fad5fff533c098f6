package templates

import (
	"slices"
	"strings"
)

const (
	extHTML    = ".html"
	extText    = ".txt"
	layoutFile = "layout.html"
	// builtin is the key of the embedded defaults; no folder has an empty name.
	builtin = ""
)

// fileKey says which file of a folder a source is.
type fileKey struct{ template, language, ext string }

// source is a template file as read.
type source struct {
	key     fileKey
	path    string // for people
	text    string
	builtIn bool
	// siteWide files serve without a group too: the global ones and the built-in ones.
	siteWide bool
}

// folder is what one name overrides.
type folder map[fileKey]*source

func layoutKey() fileKey { return fileKey{template: "layout", ext: extHTML} }

// path returns the folders to look into, most specific first, without those
// that do not exist.
func (s *Set) path(chain []string) []string {
	var path []string
	for _, name := range append(slices.Clone(chain), s.global, builtin) {
		name = foldASCII(name)
		if _, ok := s.folders[name]; ok && !slices.Contains(path, name) {
			path = append(path, name)
		}
	}
	// An empty name in the chain must not put the defaults first.
	path = slices.DeleteFunc(path, func(n string) bool { return n == builtin })
	return append(path, builtin)
}

// find returns the file that serves a part of a template and where in path it
// stands. The defaults have every part, so there always is one.
func (s *Set) find(path []string, template, language, ext string) (*source, int) {
	tags := append(languageTags(language), "")
	for depth, name := range path {
		for _, tag := range tags {
			if f, ok := s.folders[name][fileKey{template, tag, ext}]; ok {
				return f, depth
			}
		}
	}
	return nil, len(path)
}

func (s *Set) layout(path []string) *source {
	f, _ := s.find(path, "layout", "", extHTML)
	return f
}

// reachable returns every file that can serve a part of a template on path,
// whatever the language: nothing after a file without a tag.
func (s *Set) reachable(path []string, template, ext string) []*source {
	var files []*source
	for _, name := range path {
		found := false
		for _, f := range s.folders[name] {
			if f.key.template == template && f.key.ext == ext {
				files = append(files, f)
				found = found || f.key.language == ""
			}
		}
		if found {
			break
		}
	}
	slices.SortFunc(files, func(a, b *source) int { return strings.Compare(a.path, b.path) })
	return files
}

// languageTags returns the tag and its shorter forms, longest first, as RFC
// 4647 section 3.4 looks them up.
func languageTags(language string) []string {
	var tags []string
	tag := foldASCII(language)
	for tag != "" {
		tags = append(tags, tag)
		i := strings.LastIndexByte(tag, '-')
		tag = tag[:max(i, 0)]
		// A single letter introduces what follows it and means nothing alone.
		if j := strings.LastIndexByte(tag, '-'); j >= 0 && len(tag)-j == 2 {
			tag = tag[:j]
		}
	}
	return tags
}

// nestedChain returns the names that a group of that name can be served by:
// its own and those of the projects that its name nests in (contract 1.9).
func nestedChain(name string) []string {
	var chain []string
	for name != "" {
		chain = append(chain, name)
		name = name[:max(strings.LastIndexByte(name, '-'), 0)]
	}
	return chain
}

// foldASCII folds A-Z alone: names are compared like identifiers, and other
// letters' cases are nobody's business.
func foldASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
