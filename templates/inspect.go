package templates

import (
	"errors"
	"fmt"
	"slices"
	texttemplate "text/template"
	"text/template/parse"
)

// maxSteps bounds the nodes that one execution can visit: of templates
// that call another twice, thirty make a thousand million calls.
const maxSteps = 200_000

// inspector walks a template and those it calls.
type inspector struct {
	root  *texttemplate.Template
	open  []string       // the calls that led here
	steps map[string]int // of the templates that were walked
}

// inspect refuses what could keep a template from ending: range, recursion,
// and calls that multiply. It returns which templates the root calls.
func inspect(root *texttemplate.Template) (map[string]bool, error) {
	in := &inspector{root: root, steps: map[string]int{}}
	if _, err := in.call(root.Name()); err != nil {
		return nil, err
	}
	calls := map[string]bool{}
	for name := range in.steps {
		calls[name] = true
	}
	if root.Lookup("subject") == nil {
		return calls, nil
	}
	_, err := in.call("subject")
	return calls, err
}

func (in *inspector) call(name string) (int, error) {
	if n, ok := in.steps[name]; ok {
		return n, nil
	}
	if slices.Contains(in.open, name) {
		return 0, fmt.Errorf("template %q calls itself", name)
	}
	t := in.root.Lookup(name)
	if t == nil || t.Tree == nil {
		return 0, fmt.Errorf("no such template %q", name)
	}
	in.open = append(in.open, name)
	n, err := in.list(t.Root)
	in.open = in.open[:len(in.open)-1]
	if err != nil {
		return 0, err
	}
	if n > maxSteps {
		return 0, fmt.Errorf("template %q: too many steps", name)
	}
	in.steps[name] = n
	return n, nil
}

func (in *inspector) list(l *parse.ListNode) (int, error) {
	if l == nil {
		return 0, nil
	}
	sum := 0
	for _, node := range l.Nodes {
		n, err := in.node(node)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// node returns the steps of one node; of two branches both count.
func (in *inspector) node(node parse.Node) (int, error) {
	switch n := node.(type) {
	case *parse.TemplateNode:
		return in.call(n.Name)
	case *parse.IfNode:
		return in.branches(n.BranchNode)
	case *parse.WithNode:
		return in.branches(n.BranchNode)
	case *parse.RangeNode:
		return 0, errors.New("range: a notification holds no list")
	}
	return 1, nil
}

func (in *inspector) branches(b parse.BranchNode) (int, error) {
	n, err := in.list(b.List)
	if err != nil {
		return 0, err
	}
	m, err := in.list(b.ElseList)
	return 1 + n + m, err
}
