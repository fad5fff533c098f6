package templates

import (
	"errors"
	htmltemplate "html/template"
	"regexp"
	"strconv"
	"strings"
)

// conditionalComment finds the marks of conditional comments, with which mails
// speak to Outlook alone or to everything else. html/template drops comments;
// what stands between the marks is escaped as if they weren't there.
var (
	conditionalComment  = regexp.MustCompile(`<!--\[if [^\]{}]*\]>(?:<!-*>)?|(?:<!--)?<!\[endif\]-->|<!\[if [^\]{}]*\]>|<!\[endif\]>`)
	conditionalAsString = regexp.MustCompile(`^(?:` + conditionalComment.String() + `)$`)
)

// keepConditionals turns the marks into actions that print them.
func keepConditionals(html string) string {
	if !strings.Contains(html, "<![") && !strings.Contains(html, "<!--[") {
		return html
	}
	return conditionalComment.ReplaceAllStringFunc(html, func(mark string) string {
		return "{{conditionalComment " + strconv.Quote(mark) + "}}"
	})
}

// printConditional is the function that such actions call.
func printConditional(mark string) (htmltemplate.HTML, error) {
	if !conditionalAsString.MatchString(mark) {
		return "", errors.New("conditionalComment prints the marks of conditional comments alone")
	}
	return htmltemplate.HTML(mark), nil //nolint:gosec // held to the pattern above
}
