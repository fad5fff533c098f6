package templates

import (
	"slices"
	"strings"

	"github.com/reseed-project/reseed/fold"
)

const (
	extHTML    = ".html"
	extText    = ".txt"
	extXSL     = ".xsl"
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
	xslt    bool // a stylesheet; its text is not kept
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
		name = fold.ASCII(name)
		if _, ok := s.folders[name]; ok && !slices.Contains(path, name) {
			path = append(path, name)
		}
	}
	// An empty name in the chain must not put the defaults first.
	path = slices.DeleteFunc(path, func(n string) bool { return n == builtin })
	return append(path, builtin)
}

// found is what serves a template: the files of one folder in one language. One
// of the two may be nil, and is made from the other.
type found struct{ text, html *source }

// language is that of the files, "" if their names don't say.
func (f found) language() string {
	if f.text != nil {
		return f.text.key.language
	}
	return f.html.key.language
}

// find returns the files that serve a template. Both parts of a mail come from
// one folder and language. The defaults have every part, so there always is one.
func (s *Set) find(path []string, template, language string) found {
	tags := append(languageTags(language), "")
	for _, name := range path {
		for _, tag := range tags {
			f := found{s.folders[name][fileKey{template, tag, extText}], s.folders[name][fileKey{template, tag, extHTML}]}
			if f.text != nil || f.html != nil {
				return f
			}
		}
	}
	return found{}
}

func (s *Set) layout(path []string) *source {
	for _, name := range path {
		if f, ok := s.folders[name][layoutKey()]; ok {
			return f
		}
	}
	return nil
}

// reachable returns every file that can serve a template on path, whatever the
// language: nothing after a file without a tag.
func (s *Set) reachable(path []string, template string) []*source {
	var files []*source
	for _, name := range path {
		last := false
		for _, f := range s.folders[name] {
			if f.key.template == template {
				files = append(files, f)
				last = last || f.key.language == ""
			}
		}
		if last {
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
	tag := fold.ASCII(language)
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
