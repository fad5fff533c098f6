package cli

import (
	"bytes"
	"regexp"
	"slices"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/reseed-project/reseed/config"
)

var flagLine = regexp.MustCompile(`(?m)^  +(?:-\w, )?--([a-z-]+)`)

// serve --help starts with the ten settings that matter, and leaves none out.
func TestServeHelpStartsWithTheMainSettings(t *testing.T) {
	var line commandLine
	var out bytes.Buffer
	parser, err := newParser(&line, config.NewLoader(), &Console{Out: &out, Err: &out})
	if err != nil {
		t.Fatal(err)
	}
	trace, err := kong.Trace(parser, []string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	settings := len(parser.Model.Flags) - 1 // --help
	if err := printHelp(kong.HelpOptions{Compact: true, ValueFormatter: helpText}, trace); err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, m := range flagLine.FindAllStringSubmatch(out.String(), -1) {
		if m[1] != "help" && !slices.Contains(shown, m[1]) {
			shown = append(shown, m[1])
		}
	}
	if len(shown) < settings || len(mainSettings()) != 10 {
		t.Errorf("%d of %d settings are shown", len(shown), settings)
	}
	if got := shown[:min(10, len(shown))]; !slices.Equal(got, mainSettings()) {
		t.Errorf("the help starts with %q, want %q", got, mainSettings())
	}
}
