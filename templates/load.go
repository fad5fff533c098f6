package templates

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxSource bounds a template file, in bytes.
const maxSource = 256 << 10

const notificationFolder = "notification"

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{1,8})*$`)

// Load reads the templates folder, nil for the defaults alone, parses every
// file and renders each override with notifications of every kind. All faults are
// reported together (errors.Join), each naming its file: an override that is
// there is used or stops the start, and never falls back. Files in a
// notification folder that are no template are faults too, since a misspelt
// name would fall back; hidden files and *.md are left alone.
func Load(fsys fs.FS, opts Options) (*Set, error) {
	s := &Set{
		global:   foldASCII(opts.GlobalTemplate),
		folders:  map[string]folder{},
		compiled: map[pair]*compiled{},
	}
	if s.global == "" {
		s.global = DefaultGlobalTemplate
	}
	defaults, err := loadDefaults()
	if err != nil {
		return nil, err
	}
	s.folders[builtin] = defaults
	if fsys != nil {
		err = s.loadOverrides(fsys)
	}
	if err := errors.Join(err, s.compileAll()); err != nil {
		return nil, fmt.Errorf("load mail templates: %w", err)
	}
	return s, nil
}

func (s *Set) loadOverrides(fsys fs.FS) error {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return fmt.Errorf("read the templates folder: %w", err)
	}
	var faults []error
	for _, e := range entries {
		faults = append(faults, s.loadOverride(fsys, e.Name()))
	}
	return errors.Join(faults...)
}

// loadOverride loads the folder of one name, if it is one.
func (s *Set) loadOverride(fsys fs.FS, name string) error {
	if strings.HasPrefix(name, ".") {
		return nil
	}
	info, err := fs.Stat(fsys, name) // unlike the entry, follows links
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return misplaced(name)
	}
	f, err := loadFolder(fsys, name)
	if len(f) == 0 {
		return err
	}
	key := foldASCII(name)
	if _, taken := s.folders[key]; taken {
		return errors.Join(err, fmt.Errorf("%s: another folder's name differs by case alone", name))
	}
	s.folders[key] = f
	return err
}

// loadFolder reads what NAME/notification holds.
func loadFolder(fsys fs.FS, name string) (folder, error) {
	entries, err := fs.ReadDir(fsys, name)
	if err != nil {
		return nil, err
	}
	var faults []error
	for _, e := range entries {
		faults = append(faults, misplaced(path.Join(name, e.Name())))
	}
	if !slices.ContainsFunc(entries, isNotificationFolder) {
		return nil, errors.Join(faults...)
	}
	f, err := readNotification(fsys, path.Join(name, notificationFolder))
	return f, errors.Join(append(faults, err)...)
}

func isNotificationFolder(e fs.DirEntry) bool { return e.Name() == notificationFolder }

// misplaced recognises what was meant to override something and would not.
func misplaced(file string) error {
	base := foldASCII(path.Base(file))
	if strings.HasPrefix(base, "notif") && path.Base(file) != notificationFolder {
		return fmt.Errorf("%s: misspelt? Mail templates stand in NAME/%s", file, notificationFolder)
	}
	if _, err := parseFileName(base); err == nil {
		return fmt.Errorf("%s: mail templates stand in NAME/%s", file, notificationFolder)
	}
	return nil
}

func readNotification(fsys fs.FS, dir string) (folder, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	f := folder{}
	var faults []error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), ".md") {
			continue
		}
		if err := f.read(fsys, path.Join(dir, e.Name())); err != nil {
			faults = append(faults, err)
		}
	}
	return f, errors.Join(faults...)
}

func (f folder) read(fsys fs.FS, file string) error {
	key, err := parseFileName(path.Base(file))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if other, taken := f[key]; taken {
		return fmt.Errorf("%s: the same template as %s", file, other.path)
	}
	text, err := readSource(fsys, file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	f[key] = &source{key: key, path: file, text: text}
	return nil
}

// parseFileName reads TEMPLATE[.LANGUAGE].html or .txt, or layout.html.
func parseFileName(base string) (fileKey, error) {
	if base == layoutFile {
		return layoutKey(), nil
	}
	ext := path.Ext(base)
	name, language, tagged := strings.Cut(strings.TrimSuffix(base, ext), ".")
	if ext != extHTML && ext != extText || !slices.Contains(templateNames(), name) {
		return fileKey{}, fmt.Errorf("no mail template; they are %s, each .html and .txt, and %s",
			strings.Join(templateNames(), ", "), layoutFile)
	}
	language = foldASCII(language)
	if tagged && !languageTag.MatchString(language) {
		return fileKey{}, fmt.Errorf("%q is no language tag", language)
	}
	return fileKey{name, language, ext}, nil
}

// readSource reads a file with line ends made LF and a byte order mark cut off.
func readSource(fsys fs.FS, file string) (string, error) {
	info, err := fs.Stat(fsys, file)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSource {
		return "", fmt.Errorf("want a file of at most %d KiB", maxSource>>10)
	}
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return "", err
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return "", errors.New("want UTF-8 text")
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n"), nil
}
