package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/reseed-project/reseed/password"
)

// Setting is what is declared about one setting. Its flag is --Name, its TOML key Name.
type Setting struct {
	Name        string
	Env         string // environment variable
	Default     string
	Placeholder string
	Choices     []string // the only values, if there are any
	Group       string
	Help        string

	flag *kong.Flag
}

// Settings returns all settings in the order of Config's fields.
func Settings() ([]Setting, error) {
	_, l, err := parse(nil)
	if err != nil {
		return nil, err
	}
	return l.settings, nil
}

// adopt takes the settings among the application's flags, names their
// environment variables and has the loader read their numbers.
func (l *Loader) adopt(k *kong.Kong) error {
	l.settings = nil
	for _, f := range k.Model.Flags {
		if f.Group == nil {
			continue // a flag of the command line's own, such as --help
		}
		s := Setting{
			Name: f.Name, Env: envName(f.Name), Default: f.Default, Placeholder: f.PlaceHolder,
			Group: f.Group.Key, Help: f.OrigHelp, flag: f,
		}
		if choices := f.Tag.Get("choices"); choices != "" {
			s.Choices = strings.Split(choices, "|")
			f.PlaceHolder = choices
			s.Placeholder = choices
		}
		f.Envs, f.Tag.Envs = []string{s.Env}, []string{s.Env}
		if isNumber(f.Target.Type()) {
			f.Mapper = kong.MapperFunc(l.decode)
		}
		if name := f.Tag.Get("check"); name != "" && checks[name] == nil {
			return fmt.Errorf("setting %s: there is no check %q", f.Name, name)
		}
		l.settings = append(l.settings, s)
	}
	return nil
}

func envName(setting string) string {
	return "RESEED_" + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

func isNumber(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Int || t.Kind() == reflect.Int64
}

// Value is a setting with the value that it has in effect.
type Value struct {
	Setting

	Text   string // *** for a secret
	Source string // flag, variable, file and line, default, or what it was derived from
}

// Values returns every setting of a finished configuration with its source.
func (l *Loader) Values() []Value {
	var list []Value
	for _, s := range l.settings {
		target := s.flag.Target
		v := Value{Setting: s, Source: l.sources[s.Name]}
		switch {
		case target.Kind() == reflect.Pointer && target.IsNil():
		case target.Type() == reflect.TypeFor[password.Secret]():
			if target.String() != "" {
				v.Text = "***"
			}
		case target.Kind() == reflect.Pointer:
			v.Text = fmt.Sprint(target.Elem().Interface())
		default:
			v.Text = fmt.Sprint(target.Interface())
		}
		if v.Source == "" {
			v.Source = "command line"
		}
		if v.Source == fromDefault && v.Text != "" && s.Default == "" {
			v.Source = "derived"
		}
		list = append(list, v)
	}
	for _, s := range secrets {
		if text := *s.target(l.config); text != "" && s.name != "database" {
			list = append(list, Value{Setting: Setting{Name: s.name, Env: s.env, Help: s.help}, Text: "***", Source: l.sources[s.name]})
		}
	}
	return list
}
