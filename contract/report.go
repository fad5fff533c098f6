package contract

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pmezard/go-difflib/difflib"
)

// Result is what became of one case.
type Result struct {
	Case        *Case
	Differences []Difference
	Err         error // a *CannotRun, or why the case could not be played to its end
	Took        time.Duration
}

// Outcome is passed, failed, error or skipped.
type Outcome string

// The outcomes: as expected; another answer; no answer that could be compared;
// not played, for a reason that the report gives.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Errored Outcome = "error"
	Skipped Outcome = "skipped"
)

// Outcome returns what became of the case.
func (r Result) Outcome() Outcome {
	if _, skipped := r.Err.(*CannotRun); skipped { //nolint:errorlint // targets return it as it is
		return Skipped
	}
	switch {
	case r.Err != nil:
		return Errored
	case len(r.Differences) > 0:
		return Failed
	}
	return Passed
}

// Counts counts results by outcome.
func Counts(results []Result) map[Outcome]int {
	counts := map[Outcome]int{}
	for _, r := range results {
		counts[r.Outcome()]++
	}
	return counts
}

// Summary is one line for people: how many cases passed, failed and so on.
func Summary(results []Result) string {
	n := Counts(results)
	return fmt.Sprintf("%d passed, %d failed, %d without an answer, %d not run", n[Passed], n[Failed], n[Errored], n[Skipped])
}

// WriteText writes the result for people: nothing about a case that passed.
func (r Result) WriteText(w io.Writer) {
	switch r.Outcome() {
	case Passed:
	case Skipped:
		fmt.Fprintf(w, "not run  %s: %v\n", r.Case.Name, r.Err)
	case Errored:
		fmt.Fprintf(w, "ERROR    %s: %v\n", r.Case.Name, r.Err)
	case Failed:
		fmt.Fprintf(w, "FAILED   %s: %s\n", r.Case.Name, firstLine(r.Case.Title))
		for _, d := range r.Differences {
			fmt.Fprintf(w, "%s\n", indent(d.String()))
		}
	}
}

// String shows the difference line by line, with what was sent above it.
func (d Difference) String() string {
	diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: visible(d.Want), B: visible(d.Got), FromFile: "expected " + d.What, ToFile: "actual " + d.What, Context: 3,
	})
	if err != nil {
		diff = "expected " + d.Want + "\nactual " + d.Got
	}
	return "> " + strings.ReplaceAll(clip(d.Request), "\n", "\n> ") + "\n" + strings.TrimRight(diff, "\n")
}

// visible splits a text into lines, and shows what can't be seen otherwise:
// spaces at their ends and control characters.
func visible(s string) []string {
	lines := difflib.SplitLines(s)
	for i, line := range lines {
		text := strings.TrimSuffix(line, "\n")
		quoted := fmt.Sprintf("%q", text)
		if quoted[1:len(quoted)-1] != strings.ReplaceAll(text, `"`, `\"`) || strings.TrimRight(text, " \t") != text {
			lines[i] = quoted + "\n"
		}
	}
	return lines
}

func clip(s string) string {
	const most = 1000
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

// jsonResult is a result in WriteJSON's document.
type jsonResult struct {
	Case         string       `json:"case"`
	Title        string       `json:"title"`
	Outcome      Outcome      `json:"outcome"`
	Reason       string       `json:"reason,omitempty"`
	Milliseconds int64        `json:"milliseconds"`
	Differences  []Difference `json:"differences,omitempty"`
}

// WriteJSON writes all results as one JSON document.
func WriteJSON(w io.Writer, results []Result) error {
	document := struct {
		Counts  map[Outcome]int `json:"counts"`
		Results []jsonResult    `json:"results"`
	}{Counts: Counts(results), Results: []jsonResult{}}
	for _, r := range results {
		j := jsonResult{Case: r.Case.Name, Title: r.Case.Title, Outcome: r.Outcome(), Milliseconds: r.Took.Milliseconds(), Differences: r.Differences}
		if r.Err != nil {
			j.Reason = r.Err.Error()
		}
		document.Results = append(document.Results, j)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(document)
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Seconds string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	Skipped *junitMessage `xml:"skipped"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes all results as a JUnit XML report, which CI systems read.
func WriteJUnit(w io.Writer, results []Result) error {
	n := Counts(results)
	suite := junitSuite{Name: "contract", Tests: len(results), Failures: n[Failed], Errors: n[Errored], Skipped: n[Skipped]}
	for _, r := range results {
		suite.Cases = append(suite.Cases, r.junit())
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return e.Encode(suite)
}

func (r Result) junit() junitCase {
	class, name, ok := strings.Cut(r.Case.Name, "/")
	if !ok {
		class, name = "contract", r.Case.Name
	}
	c := junitCase{Class: class, Name: name, Seconds: fmt.Sprintf("%.3f", r.Took.Seconds())}
	switch r.Outcome() {
	case Failed:
		c.Failure = &junitMessage{Message: firstLine(r.Case.Title)}
		for _, d := range r.Differences {
			c.Failure.Text += d.String() + "\n"
		}
	case Errored:
		c.Error = &junitMessage{Message: r.Err.Error()}
	case Skipped:
		c.Skipped = &junitMessage{Message: r.Err.Error()}
	case Passed:
	}
	return c
}
