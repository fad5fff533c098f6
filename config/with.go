package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/reseed-project/reseed/password"
)

// KeepFlags remembers the settings of the command line for With. Secrets, which
// belong elsewhere, are left out.
func (c *Config) KeepFlags(parsed *kong.Context) {
	for _, p := range parsed.Path {
		if p.Flag == nil || p.Resolved || len(p.Flag.Envs) == 0 {
			continue
		}
		value := reflect.Indirect(p.Flag.Target)
		if value.IsValid() && value.Type() != reflect.TypeFor[password.Secret]() {
			c.flags = append(c.flags, fmt.Sprintf("--%s=%v", p.Flag.Name, value.Interface()))
		}
	}
}

// With returns the configuration with other settings over it, by their names
// in the configuration file. Defaults that depend on other settings follow the
// new ones. The error is an [Error], or says which setting is not a single value.
func (c *Config) With(settings map[string]any) (*Config, error) {
	flags := slices.Clone(c.flags)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		switch v := settings[name].(type) {
		case string, bool, int, int64, float64:
			flags = append(flags, fmt.Sprintf("--%s=%v", name, v))
		default:
			return nil, fmt.Errorf("%s: want a single value", name)
		}
	}
	with, _, err := Load(flags, true)
	return with, err
}
