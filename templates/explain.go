package templates

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

var (
	// What text/template and html/template put before a fault: the file and the line.
	faultPlace = regexp.MustCompile(`^(?:html/)?template: ?[^:]+:(\d+)(?::\d+)?: (?:executing "[^"]*" at <(.*?)>: )?(.*)$`)

	unknownField    = regexp.MustCompile(`^can't evaluate field (\w+) in type \*?templates\.(\w+)$`)
	unknownFunction = regexp.MustCompile(`^function "(\w+)" not defined$`)
	missingGroup    = regexp.MustCompile(`^nil pointer evaluating \*templates\.Group\.(\w+)$`)
	unclosed        = regexp.MustCompile(`^unexpected EOF$|^unclosed action`)
)

// templateTypes are what the fields of a template's values belong to.
var templateTypes = map[string]reflect.Type{
	"Notification": reflect.TypeFor[Notification](), "Member": reflect.TypeFor[Member](),
	"Group": reflect.TypeFor[Group](), "Brand": reflect.TypeFor[Brand](),
}

// explain says a fault that Go's template packages report in the words of those
// who write templates: the line, and what was probably meant. It leaves other
// errors as they are.
func explain(err error) error {
	place := faultPlace.FindStringSubmatch(err.Error())
	if place == nil {
		return err
	}
	line, at, what := place[1], place[2], place[3]
	if at != "" {
		at = "{{" + at + "}}: "
	}
	return errors.New("line " + line + ": " + at + plainFault(what))
}

func plainFault(what string) string {
	if m := unknownField.FindStringSubmatch(what); m != nil {
		return fmt.Sprintf("there is no field %q%s", m[1], suggest(m[1], fieldNames(m[2])))
	}
	if m := unknownFunction.FindStringSubmatch(what); m != nil {
		return fmt.Sprintf("there is no function %q%s", m[1], suggest(m[1], slices.Sorted(maps.Keys(functions("", nil)))))
	}
	if m := missingGroup.FindStringSubmatch(what); m != nil {
		return "some mails have no group: write {{with .Group}}{{." + m[1] + "}}{{end}}"
	}
	if unclosed.MatchString(what) {
		return strings.TrimSpace(what) + ": a {{ lacks its }}, or an {{if}}, {{with}} or {{define}} its {{end}}"
	}
	return what
}

func fieldNames(typeName string) (names []string) {
	t, ok := templateTypes[typeName]
	if !ok {
		return nil
	}
	for _, f := range reflect.VisibleFields(t) {
		names = append(names, f.Name)
	}
	for m := range t.Methods() {
		names = append(names, m.Name)
	}
	return names
}
