package templates

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/reseed-project/reseed/fold"
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
// name would fall back; hidden files and *.md are left alone, and so is
// everything else in a folder that has stylesheets, which may need it. A mail
// with a link must show it, in both parts.
func Load(fsys fs.FS, opts Options) (*Set, error) {
	s := &Set{
		global: fold.ASCII(cmp.Or(opts.GlobalTemplate, DefaultGlobalTemplate)),
		zone:   opts.Zone, install: opts.InstallXSLT, check: opts.CheckSettings,
		folders: map[string]folder{}, compiled: map[pair]*compiled{}, settings: map[string]MailSettings{},
	}
	defaults, err := loadDefaults()
	if err != nil {
		return nil, err
	}
	s.folders[builtin] = defaults
	if s.frame, err = compileFrame(defaults[layoutKey()]); err != nil {
		return nil, err
	}
	if fsys != nil {
		err = errors.Join(s.loadOverrides(fsys), s.startTransformer(fsys, opts))
	}
	// The limits of templates and of the renderer end it, too.
	if err := errors.Join(err, s.compileAll(context.Background())); err != nil {
		return nil, errors.Join(fmt.Errorf("load mail templates: %w", err), s.Close())
	}
	return s, nil
}

// startTransformer gets what renders stylesheets, if there are any.
func (s *Set) startTransformer(fsys fs.FS, opts Options) error {
	isStylesheet := func(f *source) bool { return f.xslt }
	hasStylesheet := func(f folder) bool { return slices.ContainsFunc(slices.Collect(maps.Values(f)), isStylesheet) }
	if opts.XSLT == nil || !slices.ContainsFunc(slices.Collect(maps.Values(s.folders)), hasStylesheet) {
		return nil
	}
	files, err := stylesheetFiles(fsys)
	if err != nil {
		return err
	}
	s.xslt, err = opts.XSLT(files)
	return err
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
	err = errors.Join(s.readSettings(fsys, name), err)
	if len(f) == 0 {
		return err
	}
	key := fold.ASCII(name)
	if _, taken := s.folders[key]; taken {
		return errors.Join(err, fmt.Errorf("%s: another folder's name differs by case alone", name))
	}
	s.folders[key] = f
	return err
}

// loadFolder reads what NAME/notification holds, or NAME/Notification.
func loadFolder(fsys fs.FS, name string) (folder, error) {
	entries, err := fs.ReadDir(fsys, name)
	if err != nil {
		return nil, err
	}
	f := folder{}
	var faults []error
	for _, e := range entries {
		file := path.Join(name, e.Name())
		if isNotificationFolder(e.Name()) {
			faults = append(faults, f.readAll(fsys, file))
		} else {
			faults = append(faults, misplaced(file))
		}
	}
	return f, errors.Join(faults...)
}

// isNotificationFolder knows the vendor's two spellings.
func isNotificationFolder(name string) bool {
	return name == notificationFolder || name == "Notification"
}

// misplaced recognises what was meant to override something and would not.
func misplaced(file string) error {
	base := fold.ASCII(path.Base(file))
	if strings.HasPrefix(base, "notif") {
		return fmt.Errorf("%s: misspelt? Mail templates stand in NAME/%s", file, notificationFolder)
	}
	if base != settingsFile && path.Ext(base) == ".toml" && suggest(base, []string{settingsFile}) != "" {
		return fmt.Errorf("%s: misspelt? A folder's settings of mails stand in NAME/%s", file, settingsFile)
	}
	if _, err := parseFileName(base); err == nil {
		return fmt.Errorf("%s: mail templates stand in NAME/%s", file, notificationFolder)
	}
	return nil
}

func (f folder) readAll(fsys fs.FS, dir string) error {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return err
	}
	hasStylesheets := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return path.Ext(e.Name()) == extXSL })
	var faults []error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), ".md") {
			continue
		}
		if _, err := parseFileName(e.Name()); err != nil && hasStylesheets && !misspelt(e.Name()) {
			continue // a module, a style sheet, a template of another notification
		}
		if err := f.read(fsys, path.Join(dir, e.Name())); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
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
	f[key] = &source{key: key, path: file, text: text, xslt: path.Ext(file) == extXSL}
	return nil
}

// parseFileName reads TEMPLATE[.LANGUAGE].html or .txt, layout.html,
// TEMPLATE[-text][.LANGUAGE].xsl.
func parseFileName(base string) (fileKey, error) {
	if base == layoutFile {
		return layoutKey(), nil
	}
	ext := path.Ext(base)
	name, language, tagged := strings.Cut(strings.TrimSuffix(base, ext), ".")
	if ext == extXSL {
		ext = extHTML
		if short, isText := strings.CutSuffix(name, "-text"); isText {
			name, ext = short, extText
		}
	}
	if ext != extHTML && ext != extText || !slices.Contains(Names(), name) {
		return fileKey{}, fmt.Errorf("no mail template%s; they are %s, each .html and .txt or .xsl and -text.xsl, and %s",
			suggest(base, fileNames()), strings.Join(Names(), ", "), layoutFile)
	}
	language = fold.ASCII(language)
	if tagged && !languageTag.MatchString(language) {
		return fileKey{}, fmt.Errorf("%q is no language tag", language)
	}
	return fileKey{name, language, ext}, nil
}

// fileNames are those of templates without a language.
func fileNames() []string {
	names := []string{layoutFile}
	for _, name := range Names() {
		names = append(names, name+extHTML, name+extText, name+extXSL, name+"-text"+extXSL)
	}
	return names
}

// misspelt recognises a template's name with a letter wrong.
func misspelt(base string) bool {
	return suggest(base, fileNames()) != "" && !slices.Contains(vendorTemplates(), base)
}

// vendorTemplates are the vendor's other files whose names are close to ours.
func vendorTemplates() []string {
	return []string{"reset-password-complete.xsl", "reset-password-complete-text.xsl"}
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
