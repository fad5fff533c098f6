package app

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/templates"
)

// globalFault refuses a global template that doesn't exist: otherwise the built-in
// one would silently be used (MAI-5).
func (a *App) globalFault() error {
	name := fold.ASCII(a.Config.GlobalTemplate)
	if name == "" || name == templates.DefaultGlobalTemplate || slices.Contains(a.overrides, name) {
		return nil
	}
	folder := cmp.Or(a.Config.Templates, filepath.Join(a.Config.Data, "templates"))
	return fmt.Errorf("global-template: there is no folder %s in %s", a.Config.GlobalTemplate, folder)
}

// warnOfUnusedTemplates logs folders that belong to no group, such as a misspelt
// one. It is not an error, since the group may be added later.
func (a *App) warnOfUnusedTemplates(ctx context.Context) {
	if len(a.overrides) == 0 {
		return
	}
	list, err := a.Store.ListGroups(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "the names of the templates folder can't be checked", "err", err)
		return
	}
	served := map[string]bool{fold.ASCII(cmp.Or(a.Config.GlobalTemplate, templates.DefaultGlobalTemplate)): true}
	for _, g := range list {
		for _, name := range g.Chain() {
			served[fold.ASCII(name)] = true
		}
	}
	for _, name := range a.overrides {
		if !served[name] {
			a.Log.WarnContext(ctx, "templates: no group and no project has this name", "folder", name)
			served[name] = true // once, even if it has mails and pages
		}
	}
}
