package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/pelletier/go-toml/v2"
)

// loader gathers settings and all that is wrong with them, so that the
// operator hears of every fault at once.
type loader struct {
	lookup   func(string) (string, bool) // of the environment
	file     map[string]any              // keys and values of the TOML file
	faults   []error
	warnings []string
	// unreadable settings have no value to validate.
	unreadable []string
}

func newLoader() *loader { return &loader{lookup: os.LookupEnv} }

// options are what kong needs to fill a Config.
func (l *loader) options() []kong.Option {
	return []kong.Option{
		kong.NamedMapper("setting", kong.MapperFunc(l.decode)),
		kong.Resolvers(l),
		kong.Bind(l),
	}
}

// configError is everything wrong with the configuration.
type configError []error

// Error lists the faults, one a line.
func (e configError) Error() string {
	var b strings.Builder
	b.WriteString("the configuration is faulty:")
	for _, fault := range e {
		b.WriteString("\n  " + fault.Error())
	}
	return b.String()
}

// finish completes and validates what kong filled in. The error is a
// configError; a command line that is wrong counts as wrong usage.
func (l *loader) finish(c *Config, serving bool) error {
	c.complete()
	if serving {
		if err := c.readSMTPPassword(l.lookup); err != nil {
			l.faults = append(l.faults, err)
		}
	}
	for _, f := range c.validate(serving) {
		if !slices.Contains(l.unreadable, f.setting) {
			l.faults = append(l.faults, f)
		}
	}
	l.warnings = append(l.warnings, c.warnings()...)
	if len(l.faults) > 0 {
		return configError(l.faults)
	}
	return nil
}

// decode reads numbers and durations. What can't be read is noted as a fault,
// not returned: kong would stop at the first.
func (l *loader) decode(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("value", &text); err != nil {
		return fmt.Errorf("read %s: %w", ctx.Value.Name, err)
	}
	number := target
	if target.Kind() == reflect.Pointer { // nil: nothing was said
		number = target.Elem()
	}
	if text == "" { // an empty variable: Resolve has the default
		if number != target {
			target.SetZero()
		}
		return nil
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
		l.faults = append(l.faults, fmt.Errorf("%s: %q: want %s", ctx.Value.Name, text, want))
		return nil
	}
	number.SetInt(n)
	return nil
}

// configFile is the setting that names the file.
type configFile string

// BeforeResolve reads the file before kong asks for its values.
//
//nolint:unparam // kong wants a hook to return an error
func (f configFile) BeforeResolve(ctx *kong.Context, trace *kong.Path, l *loader) error {
	name, _ := ctx.FlagValue(trace.Flag).(configFile)
	if name == "" || l.file != nil {
		return nil
	}
	l.file = map[string]any{}
	document, err := os.ReadFile(string(name))
	if err != nil {
		l.faults = append(l.faults, fmt.Errorf("config: %w", err))
		return nil
	}
	l.readFile(string(name), document, settingNames(ctx.Model.Flags))
	return nil
}

// readFile takes the document's values and notes the keys that don't exist.
func (l *loader) readFile(name string, document []byte, known []string) {
	if err := toml.Unmarshal(document, &l.file); err != nil {
		l.faults = append(l.faults, fmt.Errorf("%s:%d: %w", name, lineOf(err), err))
		return
	}
	var strict *toml.StrictMissingError
	err := toml.NewDecoder(bytes.NewReader(document)).DisallowUnknownFields().Decode(&struct{}{})
	if !errors.As(err, &strict) {
		return
	}
	for _, e := range strict.Errors {
		key := strings.Join(e.Key(), ".")
		if !slices.Contains(known, key) {
			l.faults = append(l.faults, fmt.Errorf("%s:%d: there is no setting %q%s", name, lineOf(&e), key, suggest(key, known)))
		}
	}
	if _, has := l.file["database"]; has && privateFile(name) != nil {
		l.warnings = append(l.warnings, "config: "+name+" names the database and is open to every user of the machine: chmod 600 it")
	}
}

func lineOf(err error) int {
	var e *toml.DecodeError
	if !errors.As(err, &e) {
		return 0
	}
	line, _ := e.Position()
	return line
}

// Validate does nothing; kong asks for it.
func (l *loader) Validate(*kong.Application) error { return nil }

// Resolve returns a flag's value from the file, nil where the environment has
// one. An empty variable is as good as none, which kong sees otherwise: then
// it is the default where the file has nothing.
func (l *loader) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if len(flag.Envs) == 0 || flag.Name == "config" {
		return nil, nil
	}
	if text, _ := l.lookup(flag.Envs[0]); text != "" {
		return nil, nil
	}
	switch v := l.file[flag.Name].(type) {
	case nil:
		return flag.Default, nil
	case string:
		return v, nil
	case int64, float64, bool:
		return fmt.Sprint(v), nil
	}
	l.faults = append(l.faults, fmt.Errorf("%s: want a single value", flag.Name))
	return nil, nil
}

// settingNames are the keys that a file may have.
func settingNames(flags []*kong.Flag) []string {
	var names []string
	for _, f := range flags {
		if f.Name != "config" && len(f.Envs) > 0 {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// suggest names the setting that was meant, probably.
func suggest(key string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		if d := editDistance(strings.ReplaceAll(key, "_", "-"), k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance counts the letters to insert, delete or replace to get from a to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
