package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"reseed/templates"
)

// globalFault refuses a global template that isn't there: the built-in one
// would serve in its place without a word (MAI-5).
func (a *app) globalFault() error {
	name := strings.ToLower(a.cfg.GlobalTemplate)
	if name == "" || name == templates.DefaultGlobalTemplate || slices.Contains(a.overrides, name) {
		return nil
	}
	folder := cmp.Or(a.cfg.Templates, filepath.Join(a.cfg.Data, "templates"))
	return fmt.Errorf("global-template: there is no folder %s in %s", a.cfg.GlobalTemplate, folder)
}

// warnOfStrays names the folders whose templates serve nobody, such as a
// misspelt one. It is no fault: the group may be still to come.
func (a *app) warnOfStrays(ctx context.Context) {
	if len(a.overrides) == 0 {
		return
	}
	list, err := a.store.ListGroups(ctx)
	if err != nil {
		a.log.WarnContext(ctx, "the names of the templates folder can't be checked", "err", err)
		return
	}
	served := map[string]bool{strings.ToLower(cmp.Or(a.cfg.GlobalTemplate, templates.DefaultGlobalTemplate)): true}
	for _, g := range list {
		for _, name := range g.Chain() {
			served[strings.ToLower(name)] = true
		}
	}
	for _, name := range a.overrides {
		if !served[name] {
			a.log.WarnContext(ctx, "templates: no group and no project has this name", "folder", name)
			served[name] = true // once, where it has mails and pages
		}
	}
}
