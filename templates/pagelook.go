package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/reseed-project/reseed/fold"
)

// maxLogo bounds a logo, in bytes.
const maxLogo = 512 << 10

// Settings is what page.toml may hold. All of it is optional.
type Settings struct {
	// Name is how the pages call the site. Without it: the group's title, or else the site's name.
	Name string `toml:"name"`
	// Accent colours buttons and links, as #rrggbb; at least 4.5:1 against white.
	Accent string `toml:"accent"`
	// DarkAccent colours links in dark mode; at least 4.5:1 against the dark
	// card. Without it: a tint of Accent.
	DarkAccent string `toml:"dark-accent"`
	// Logo names a picture in the same folder; LogoText says what it shows, for
	// those who don't see it; without it the name.
	Logo     string `toml:"logo"`
	LogoText string `toml:"logo-text"`
	// Next is where to go after a password was set, http or https.
	Next string `toml:"next"`
	// NextOrigins narrows down which of the URLs that a request's site allows
	// the pages lead on to: origins such as https://app.example.org, compared
	// exactly (WEB-11). An empty list allows none.
	NextOrigins []string `toml:"next-origins"`
}

// Look is what pages of a group look like and say.
type Look struct {
	Settings
	LogoType string // media type of the logo, "" without one
	LogoData []byte
	Style    string // style sheet: the colours, then what the folders add
	sources  []*pageSource
}

func parseSettings(text string) (Settings, error) {
	var s Settings
	if err := decodeTOML(text, &s, settingNames()); err != nil {
		return s, err
	}
	var faults []error
	fault := func(key string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("%s%s: %w", lineOf(text, "", key), key, err))
		}
	}
	for _, origin := range s.NextOrigins {
		if !validOrigin(origin) {
			fault("next-origins", fmt.Errorf("%q: want an origin such as https://app.example.org", origin))
		}
	}
	if s.Next != "" {
		_, err := parseWebURL(s.Next)
		fault("next", err)
	}
	fault("accent", colourFault(s.Accent, white))
	fault("dark-accent", colourFault(s.DarkAccent, darkCard))
	s.Name, s.LogoText = title(s.Name), title(s.LogoText)
	return s, errors.Join(faults...)
}

func settingNames() []string {
	return []string{"name", "accent", "dark-accent", "logo", "logo-text", "next", "next-origins"}
}

func logoTypes() map[string]string {
	return map[string]string{
		".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
	}
}

// readLogo reads the picture that the settings name; others are faults.
func (s *pageSource) readLogo(fsys fs.FS, dir string, pictures []string) error {
	for _, name := range pictures {
		if name != s.settings.Logo {
			return fmt.Errorf("%s: page.toml does not name it as the logo", path.Join(dir, name))
		}
	}
	if s.settings.Logo == "" {
		return nil
	}
	file := path.Join(dir, s.settings.Logo)
	if !slices.Contains(pictures, s.settings.Logo) {
		return fmt.Errorf("%s: no such logo; want .svg, .png, .jpg or .webp in the same folder", file)
	}
	info, err := fs.Stat(fsys, file)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxLogo || info.Size() == 0 {
		return fmt.Errorf("%s: want a file of 1 byte to %d KiB", file, maxLogo>>10)
	}
	s.logo, err = fs.ReadFile(fsys, file)
	return err
}

// newLook merges folders, most specific first.
func newLook(sources []*pageSource) *Look {
	l := &Look{sources: sources}
	for _, s := range sources {
		if l.Accent == "" { // a tint of one folder's accent must not meet another's
			l.Accent, l.DarkAccent = s.settings.Accent, s.settings.DarkAccent
		}
		if l.Logo == "" && s.settings.Logo != "" {
			l.Logo, l.LogoText, l.LogoData = s.settings.Logo, s.settings.LogoText, s.logo
			l.LogoType = logoTypes()[path.Ext(l.Logo)]
		}
		if l.Name == "" {
			l.Name = s.settings.Name
		}
		if l.Next == "" {
			l.Next = s.settings.Next
		}
		if l.NextOrigins == nil {
			l.NextOrigins = s.settings.NextOrigins
		}
	}
	if l.DarkAccent == "" {
		l.DarkAccent = tint(l.Accent, darkCard)
	}
	l.Style = l.styleSheet()
	return l
}

func (l *Look) styleSheet() string {
	var b strings.Builder
	fmt.Fprintf(&b, ":root{--accent:%s;--link:%[1]s}\n@media (prefers-color-scheme:dark){:root{--link:%s}}\n", l.Accent, l.DarkAccent)
	for _, s := range slices.Backward(l.sources) { // the most specific has the last word
		b.WriteString(s.style)
	}
	return b.String()
}

// NextURL returns where to go after a password was set: what the request asked
// for, else the configured URL, else "". What was asked for was on the list of
// the request's site already; if the look has a list, it must be on that, too.
func (l *Look) NextURL(asked string) string {
	origins := l.NextOrigins
	if u, err := parseWebURL(asked); origins == nil && err == nil {
		origins = []string{u.Scheme + "://" + fold.ASCII(u.Host)}
	}
	if allowedURL(asked, origins) {
		return asked
	}
	return l.Next
}

// allowedURL reports whether a URL is http or https and of one of the origins
// exactly: no other scheme, port, user or host, in whatever spelling.
func allowedURL(raw string, origins []string) bool {
	u, err := parseWebURL(raw)
	if err != nil {
		return false
	}
	return slices.Contains(origins, u.Scheme+"://"+fold.ASCII(u.Host))
}

// validOrigin accepts what a browser would send as an Origin header: lower
// case, a host, a port unless it is the default one, and no more.
func validOrigin(s string) bool {
	u, err := parseWebURL(s)
	if err != nil || s != fold.ASCII(s) || s != u.Scheme+"://"+u.Host {
		return false
	}
	return u.Port() == "" && !strings.HasSuffix(u.Host, ":") ||
		u.Port() != "" && u.Port() != map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// Texts are the words of pages in one language.
type Texts struct {
	look     *Look
	language string
}

// Texts returns the words in the first of the languages (BCP 47) that there
// are any in, or else those without a language.
func (l *Look) Texts(languages ...string) Texts {
	for _, language := range languages {
		for _, tag := range languageTags(language) {
			for _, s := range l.sources {
				if _, ok := s.texts[tag]; ok {
					return Texts{l, fold.ASCII(language)}
				}
			}
			if base, ok := l.sources[len(l.sources)-1].texts[""]; ok && base["lang"] == tag {
				return Texts{l, ""} // the texts without a language are in this one
			}
		}
	}
	return Texts{l, ""}
}

func (l *Look) find(key, language string) (string, bool) {
	tags := append(languageTags(language), "")
	for _, s := range l.sources {
		for _, tag := range tags {
			if text, ok := s.texts[tag][key]; ok {
				return text, true
			}
		}
	}
	return "", false
}

// Say returns the text of a key with values put in for its placeholders: names
// and values in turn. Values are isolated, so that a name written from right to
// left leaves the sentence around it alone. An unknown key is a defect, and
// says itself.
func (t Texts) Say(key string, values ...string) string {
	text, ok := t.look.find(key, t.language)
	if !ok {
		return key
	}
	pairs := make([]string, 0, len(values))
	for i := 0; i+1 < len(values); i += 2 {
		pairs = append(pairs, "{"+values[i]+"}", "\u2068"+title(values[i+1])+"\u2069")
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// parseTexts reads a file of texts: by language, "" for none, then by key. The
// keys are those of the list; without a list any.
func parseTexts(text string, keys []string) (map[string]map[string]string, error) {
	var file map[string]any
	if err := decodeTOML(text, &file, nil); err != nil {
		return nil, err
	}
	general := map[string]any{}
	texts := map[string]map[string]string{}
	var faults []error
	take := func(table string, of map[string]any) {
		tag := fold.ASCII(table)
		if _, taken := texts[tag]; taken || tag != "" && !languageTag.MatchString(tag) {
			faults = append(faults, fmt.Errorf("%s%q is no language tag, or the second table of its language", lineOf(text, table, ""), table))
			return
		}
		texts[tag] = map[string]string{}
		for _, key := range slices.Sorted(maps.Keys(of)) {
			said, err := textOf(of[key], key, keys)
			if err != nil {
				faults = append(faults, fmt.Errorf("%s%w", lineOf(text, table, key), err))
			}
			texts[tag][key] = said
		}
	}
	for _, name := range slices.Sorted(maps.Keys(file)) {
		if table, ok := file[name].(map[string]any); ok {
			take(name, table)
		} else {
			general[name] = file[name]
		}
	}
	take("", general)
	return texts, errors.Join(faults...)
}

// textOf returns the text that the file has for a key.
func textOf(value any, key string, keys []string) (string, error) {
	if keys != nil && !slices.Contains(keys, key) {
		return "", fmt.Errorf("there is no text %q%s", key, suggest(key, keys))
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%s: want a text in quotation marks", key)
	}
	if err := textFault(key, text); err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return text, nil
}

func textFault(key, text string) error {
	switch {
	case text == "" || utf8.RuneCountInString(text) > maxDescription || line(text, maxDescription) != text:
		return fmt.Errorf("want one line of 1 to %d characters", maxDescription)
	case key == "dir" && text != "ltr" && text != "rtl":
		return errors.New("want ltr or rtl")
	case key == "lang" && !languageTag.MatchString(fold.ASCII(text)):
		return errors.New("want a language tag")
	}
	for _, p := range placeholder.FindAllString(text, -1) {
		if !slices.Contains([]string{"{account}", "{site}", "{min}", "{max}"}, p) {
			return fmt.Errorf("there is no placeholder %s", p)
		}
	}
	return nil
}
