package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
	"github.com/alecthomas/kong"
)

// Loader gathers settings and all that is wrong with them, so that the
// operator hears of every fault at once.
type Loader struct {
	// Warnings are for the operator; they keep nothing from working.
	Warnings []string

	lookup   func(string) (string, bool) // in the environment
	environ  func() []string
	config   *Config
	settings []Setting
	file     tomlFile
	sources  map[string]string // of values, by setting
	faults   []error
	// unreadable settings have no value to validate.
	unreadable []string
}

const fromDefault = "default"

// NewLoader returns a loader that reads this process's environment.
func NewLoader() *Loader {
	return &Loader{lookup: os.LookupEnv, environ: os.Environ, sources: map[string]string{}}
}

// Options are what kong needs to fill a Config that a grammar embeds.
func (l *Loader) Options() []kong.Option {
	return []kong.Option{kong.PostBuild(l.adopt), kong.Resolvers(l), kong.Bind(l)}
}

// Load reads settings from flags alone, without a command. The warnings are for
// the operator; the error is an Error, or one of kong's.
func Load(flags []string, serving bool) (*Config, []string, error) {
	c, l, err := parse(flags)
	if err != nil {
		return nil, nil, err
	}
	err = l.Finish(c, serving)
	return c, l.Warnings, err
}

func parse(flags []string) (*Config, *Loader, error) {
	var c struct {
		Config `embed:""`
	}
	l := NewLoader()
	parser, err := kong.New(&c, l.Options()...)
	if err != nil {
		return nil, nil, fmt.Errorf("read the settings: %w", err)
	}
	parsed, err := parser.Parse(flags)
	if err != nil {
		return nil, nil, err
	}
	c.KeepFlags(parsed)
	return &c.Config, l, nil
}

// Error is everything wrong with the configuration.
type Error []error

// Error lists the faults, one a line.
func (e Error) Error() string {
	var b strings.Builder
	b.WriteString("the configuration has faults:")
	for _, fault := range e {
		b.WriteString("\n  " + fault.Error())
	}
	return b.String()
}

// Finish reads secrets, completes and validates what kong filled in. serving
// asks for what only a server needs. The error is an Error.
func (l *Loader) Finish(c *Config, serving bool) error {
	l.config = c
	l.nameUnknownVariables()
	l.readSecrets(c, serving)
	c.trim()
	faulty := slices.Clone(l.unreadable)
	fault := func(setting string, err error) {
		if err != nil && !slices.Contains(faulty, setting) {
			faulty = append(faulty, setting)
			l.faults = append(l.faults, fmt.Errorf("%s%s: %w", l.place(setting), setting, err))
		}
	}
	for _, s := range l.settings {
		// Other commands' users may not know the server's folder.
		if serving || s.Name != "templates" {
			fault(s.Name, s.check(s.flag.Target))
		}
	}
	c.Complete()
	c.together(serving, fault)
	if len(l.faults) > 0 {
		return Error(l.faults)
	}
	l.Warnings = append(l.Warnings, c.warnings()...)
	return nil
}

// place is where a setting's value stands in the file, to begin a fault with.
func (l *Loader) place(setting string) string {
	if line := l.file.lines[setting]; line > 0 && l.sources[setting] == l.file.at(line) {
		return l.file.at(line) + ": "
	}
	return ""
}

// decode reads numbers and durations. What can't be read is noted as a fault,
// not returned: kong would stop at the first.
func (l *Loader) decode(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("value", &text); err != nil {
		return fmt.Errorf("read %s: %w", ctx.Value.Name, err)
	}
	if text == "" { // an empty variable: Resolve has the default
		target.SetZero()
		return nil
	}
	number := target
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.New(target.Type().Elem()))
		number = target.Elem()
	}
	want, err := "a whole number", error(nil)
	var n int64
	if number.Type() == reflect.TypeFor[time.Duration]() {
		var d time.Duration
		d, err = time.ParseDuration(text)
		want, n = "a duration such as 90s or 12h", int64(d)
	} else {
		n, err = strconv.ParseInt(text, 10, number.Type().Bits())
	}
	if err != nil {
		l.unreadable = append(l.unreadable, ctx.Value.Name)
		l.faults = append(l.faults, fmt.Errorf("%s%s: %q: want %s", l.place(ctx.Value.Name), ctx.Value.Name, text, want))
		return nil
	}
	number.SetInt(n)
	return nil
}

// Validate does nothing; kong asks for it.
func (l *Loader) Validate(*kong.Application) error { return nil }

// Resolve returns a flag's value from the file, nil if the environment has one.
// An empty variable is as good as none, which kong sees otherwise: then it is
// the default, unless the file has a value.
func (l *Loader) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	i := slices.IndexFunc(l.settings, func(s Setting) bool { return s.flag.Value == flag.Value })
	if i < 0 {
		return nil, nil
	}
	s := l.settings[i]
	if text, _ := l.lookup(s.Env); text != "" {
		l.sources[s.Name] = s.Env
		return nil, nil
	}
	l.sources[s.Name] = fromDefault
	value, found := l.file.values[s.Name]
	if !found || s.Name == "config" {
		if s.Name == "config" {
			return nil, nil
		}
		return flag.Default, nil
	}
	l.sources[s.Name] = l.file.at(l.file.lines[s.Name])
	text, ok := asText(value, s.flag.Tag.Has("list"))
	if !ok {
		l.unreadable = append(l.unreadable, s.Name)
		l.faults = append(l.faults, fmt.Errorf("%s%s: want a single value", l.place(s.Name), s.Name))
		return nil, nil
	}
	return text, nil
}

// names are what a file may have as keys.
func (l *Loader) names() []string {
	var names []string
	for _, s := range l.settings {
		if s.Name != "config" {
			names = append(names, s.Name)
		}
	}
	return names
}

// nameUnknownVariables warns of variables that are probably misspelt. It is no
// fault: Kubernetes sets some of its own for a service named reseed.
func (l *Loader) nameUnknownVariables() {
	var known []string
	for _, s := range l.settings {
		known = append(known, s.Env)
	}
	for _, s := range secrets {
		known = append(known, s.env)
	}
	for _, variable := range l.environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "RESEED_") || slices.Contains(known, name) || notOurs(name) {
			continue
		}
		l.Warnings = append(l.Warnings, fmt.Sprintf("the environment variable %s is no setting%s", name, suggest(name, known)))
	}
}

// notOurs reports whether a variable is an orchestrator's, or one of the tests'.
func notOurs(name string) bool {
	for _, prefix := range []string{"RESEED_SERVICE_", "RESEED_PORT", "RESEED_TEST_", "RESEED_SOAK_", "RESEED_FAILPOINT"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// suggest names what was meant, probably.
func suggest(name string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ReplaceAll(name, "_", "-"), strings.ReplaceAll(k, "_", "-")); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
