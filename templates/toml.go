package templates

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/pelletier/go-toml/v2"

	"github.com/reseed-project/reseed/fold"
)

// decodeTOML reads a file strictly. Its errors say the line and what was
// probably meant, one of the known names.
func decodeTOML(text string, into any, known []string) error {
	err := toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields().Decode(into)
	var strict *toml.StrictMissingError
	var syntax *toml.DecodeError
	switch {
	case errors.As(err, &strict):
		var faults []error
		for _, e := range strict.Errors {
			row, _ := e.Position()
			key := strings.Join(e.Key(), ".")
			faults = append(faults, fmt.Errorf("line %d: there is no setting %q%s", row, key, suggest(key, known)))
		}
		return errors.Join(faults...)
	case errors.As(err, &syntax):
		row, _ := syntax.Position()
		return fmt.Errorf("line %d: %s", row, strings.TrimPrefix(syntax.Error(), "toml: "))
	}
	return err
}

// lineOf returns the line of a table's key, "line N: ", or "" if it can't be
// found. The table "" is the file's top; the key "" stands for a table's heading.
func lineOf(text, table, key string) string {
	number, within := 0, table == ""
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		name, _, found := strings.Cut(line, "=")
		if strings.HasPrefix(line, "[") {
			name, _, _ = strings.Cut(strings.TrimPrefix(line, "["), "]")
			within = strings.Trim(name, " \t\"'") == table
			found, name = key == "", ""
		}
		if within && found && strings.Trim(name, " \t\"'") == key {
			return fmt.Sprintf("line %d: ", number)
		}
	}
	return ""
}

// suggest names what was probably meant, or nothing.
func suggest(word string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	distance := func(k string) int {
		return levenshtein.ComputeDistance(strings.ReplaceAll(fold.ASCII(word), "_", "-"), fold.ASCII(k))
	}
	best := slices.MinFunc(known, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
	if d := distance(best); d > min(3, len(word)/2) {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
