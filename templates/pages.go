package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/reseed-project/reseed/fold"
)

const pageFolderName = "page"

// Pages is what the pages of all groups look like and say. It never changes
// and may be used by many goroutines at a time.
//
// A look is a folder NAME/page beside NAME/notification, where NAME is the full
// name of a group, of a project or of the global template:
//
//	page.toml        name, colours, logo, where to go next; see [Settings]
//	texts.toml       words of the pages, by key; those of a language in a table, such as [de]
//	style.css        rules added to the pages' own style sheet
//	logo.svg ...     the picture that page.toml names: .svg, .png, .jpg, .webp
//
// Every setting and every text is looked up for itself, as mail templates are:
// the group's own, its project's, that project's parents', the global one, the
// built-in one. Inside a folder the language's text comes first, then those of
// its shorter forms, then that without a language.
type Pages struct {
	global string           // folded
	looks  map[string]*Look // by folded name; builtin holds the defaults
}

// LoadPages reads the looks of a templates folder, nil for the built-in one
// alone. All faults are reported together, each naming its file: unknown keys,
// texts with unknown placeholders, colours too faint to read (WCAG 2.2, 1.4.3),
// URLs outside the allow-list, files that are nothing of the above.
func LoadPages(fsys fs.FS, o Options) (*Pages, error) {
	p := &Pages{global: fold.ASCII(o.GlobalTemplate), looks: map[string]*Look{}}
	if p.global == "" {
		p.global = DefaultGlobalTemplate
	}
	base, err := loadPageFolder(Defaults(), DefaultGlobalTemplate, nil)
	if err != nil {
		return nil, fmt.Errorf("built-in page: %w", err)
	}
	sources := map[string]*pageSource{builtin: base}
	if fsys != nil {
		err = loadPageFolders(fsys, sources)
	}
	if err != nil {
		return nil, fmt.Errorf("load pages: %w", err)
	}
	for name := range sources {
		p.looks[name] = newLook(p.sourcesOf(name, sources))
	}
	return p, nil
}

// Look returns what serves a chain of names, most specific first; it may be empty.
func (p *Pages) Look(chain []string) *Look {
	for _, name := range append(slices.Clone(chain), p.global) {
		if look, ok := p.looks[fold.ASCII(name)]; ok && name != builtin {
			return look
		}
	}
	return p.looks[builtin]
}

// BuiltIn returns the look that no folder changes.
func (p *Pages) BuiltIn() *Look { return p.looks[builtin] }

// Names returns the folders that have a look, as [Set.Names] does.
func (p *Pages) Names() []string {
	names := slices.Sorted(maps.Keys(p.looks))
	return slices.DeleteFunc(names, func(n string) bool { return n == builtin })
}

// Looks returns every look there is, in no order.
func (p *Pages) Looks() []*Look {
	var all []*Look
	for _, look := range p.looks {
		all = append(all, look)
	}
	return all
}

// sourcesOf returns the folders that a name's look is made of, most specific first.
func (p *Pages) sourcesOf(name string, sources map[string]*pageSource) []*pageSource {
	var path []*pageSource
	if name == builtin {
		return append(path, sources[builtin])
	}
	for _, n := range append(nestedChain(name), p.global) {
		if s, ok := sources[n]; ok && !slices.Contains(path, s) {
			path = append(path, s)
		}
	}
	return append(path, sources[builtin])
}

// pageSource is one folder as read.
type pageSource struct {
	path     string // for people
	settings Settings
	texts    map[string]map[string]string // by language tag, "" for none, then by key
	style    string
	logo     []byte
}

func loadPageFolders(fsys fs.FS, into map[string]*pageSource) error {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return fmt.Errorf("read the templates folder: %w", err)
	}
	keys := slices.Sorted(maps.Keys(into[builtin].texts[""]))
	var faults []error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		faults = append(faults, misnamedPage(fsys, e.Name()))
		info, err := fs.Stat(fsys, path.Join(e.Name(), pageFolderName)) // follows links
		if err != nil || !info.IsDir() {
			continue
		}
		key := fold.ASCII(e.Name())
		if _, taken := into[key]; taken {
			faults = append(faults, fmt.Errorf("%s: another folder's name differs by case alone", e.Name()))
			continue
		}
		s, err := loadPageFolder(fsys, e.Name(), keys)
		faults = append(faults, err)
		if s != nil {
			into[key] = s
		}
	}
	return errors.Join(faults...)
}

// misnamedPage recognises what was meant to be a page folder and would not be read.
func misnamedPage(fsys fs.FS, name string) error {
	for _, wrong := range []string{"pages", "Page", "page.toml", "texts.toml"} {
		file := path.Join(name, wrong)
		if _, err := fs.Stat(fsys, file); err == nil && wrong != pageFolderName {
			return fmt.Errorf("%s: misplaced? Looks of pages stand in NAME/%s", file, pageFolderName)
		}
	}
	return nil
}

// loadPageFolder reads a folder whose texts have these keys; without a list any.
func loadPageFolder(fsys fs.FS, name string, keys []string) (*pageSource, error) {
	dir := path.Join(name, pageFolderName)
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	s := &pageSource{path: dir, texts: map[string]map[string]string{}}
	var faults []error
	var pictures []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), ".md") {
			continue
		}
		if _, ok := logoTypes()[path.Ext(e.Name())]; ok {
			pictures = append(pictures, e.Name())
			continue
		}
		if err := s.read(fsys, path.Join(dir, e.Name()), keys); err != nil {
			faults = append(faults, inFile(path.Join(dir, e.Name()), err)...)
		}
	}
	if err := s.readLogo(fsys, dir, pictures); err != nil {
		faults = append(faults, err)
	}
	return s, errors.Join(faults...)
}

// read takes in one file that is no picture.
func (s *pageSource) read(fsys fs.FS, file string, keys []string) error {
	base := path.Base(file)
	if !slices.Contains([]string{"page.toml", "texts.toml", "style.css"}, base) {
		return errors.New("no such file of a page; they are page.toml, texts.toml (a language is a table in it), style.css and a logo")
	}
	text, err := readSource(fsys, file)
	if err != nil {
		return err
	}
	switch base {
	case "page.toml":
		s.settings, err = parseSettings(text)
	case "style.css":
		s.style, err = text, styleFault(text)
	default:
		s.texts, err = parseTexts(text, keys)
	}
	return err
}
