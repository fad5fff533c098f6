package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/reseed-project/reseed/password"
)

// configFile is the setting that names the file.
type configFile string

// BeforeResolve reads the file before kong asks for its values.
func (f configFile) BeforeResolve(ctx *kong.Context, trace *kong.Path, l *Loader) error {
	name, _ := ctx.FlagValue(trace.Flag).(configFile)
	if name == "" || l.file.name != "" {
		return nil
	}
	document, err := os.ReadFile(string(name))
	if err != nil {
		l.faults = append(l.faults, fmt.Errorf("config: %w", err))
		return nil
	}
	l.readFile(string(name), document)
	return nil
}

// tomlFile is what a configuration file holds. A key of a table is joined with
// the table's: timeout in [session] is session-timeout.
type tomlFile struct {
	name   string
	values map[string]any
	lines  map[string]int
}

// at returns a line of the file as editors and compilers name it.
func (f tomlFile) at(line int) string { return fmt.Sprintf("%s:%d", f.name, line) }

// readFile takes the document's values and notes the keys that don't exist.
func (l *Loader) readFile(name string, document []byte) {
	document = bytes.TrimPrefix(document, []byte("\xef\xbb\xbf"))
	l.file = tomlFile{name: name, values: map[string]any{}}
	var tree map[string]any
	if err := toml.Unmarshal(document, &tree); err != nil {
		l.faults = append(l.faults, fmt.Errorf("%s: %w", l.file.at(lineOf(err)), err))
		return
	}
	flatten(tree, "", l.file.values)
	l.file.lines = keyLines(document)
	known := l.names()
	var unknown []string
	for key := range l.file.values {
		if !slices.Contains(known, key) {
			unknown = append(unknown, key)
		}
	}
	slices.SortFunc(unknown, func(a, b string) int { return l.file.lines[a] - l.file.lines[b] })
	for _, key := range unknown {
		l.faults = append(l.faults, fmt.Errorf("%s: there is no setting %q%s", l.file.at(l.file.lines[key]), key, suggest(key, known)))
	}
	if _, has := l.file.values["database"]; has {
		if err := password.CheckSecretFile(name); err != nil {
			l.Warnings = append(l.Warnings, "config: the file names the database: "+err.Error())
		}
	}
}

// flatten joins the keys of tables with dashes.
func flatten(tree map[string]any, prefix string, to map[string]any) {
	for key, value := range tree {
		if table, ok := value.(map[string]any); ok {
			flatten(table, prefix+key+"-", to)
			continue
		}
		to[prefix+key] = value
	}
}

// keyLines returns the line of each key of a valid document.
func keyLines(document []byte) map[string]int {
	lines := map[string]int{}
	var p unstable.Parser
	p.Reset(document)
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		var parts []string
		line := 0
		for key := e.Key(); key.Next(); {
			parts = append(parts, string(key.Node().Data))
			line = p.Shape(key.Node().Raw).Start.Line
		}
		name := strings.Join(parts, "-")
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = name + "-"
		case unstable.KeyValue:
			lines[table+name] = line
		}
	}
	return lines
}

func lineOf(err error) int {
	var e *toml.DecodeError
	if !errors.As(err, &e) {
		return 0
	}
	line, _ := e.Position()
	return line
}

// asText returns a value as a flag would have it; an array only if the setting
// is a list.
func asText(value any, list bool) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case int64, float64, bool:
		return fmt.Sprint(v), true
	case []any:
		var parts []string
		for _, item := range v {
			text, ok := asText(item, false)
			if !ok {
				return "", false
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ","), list
	}
	return "", false
}
