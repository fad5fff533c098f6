package contract

import (
	"context"
	"path"
	"strings"
	"time"
)

// Sets of cases by whose services they show.
const (
	SetAll        = "all"
	SetPageSeeder = "pageseeder"
	SetWix        = "wix"
)

// Select returns the cases of a set whose name matches the pattern: a name, a
// folder, or either with * and ? as in a shell; "" matches all.
func Select(cases []*Case, set, pattern string) []*Case {
	var selected []*Case
	for _, c := range cases {
		wix := strings.HasPrefix(c.Name, "wix-")
		if set == SetWix && !wix || set == SetPageSeeder && wix {
			continue
		}
		if matches(pattern, c.Name) {
			selected = append(selected, c)
		}
	}
	return selected
}

func matches(pattern, name string) bool {
	if pattern == "" || name == pattern || strings.HasPrefix(name, strings.TrimSuffix(pattern, "/")+"/") {
		return true
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// Run plays cases one after the other and hands each result to report.
func (p *Player) Run(ctx context.Context, cases []*Case, now func() time.Time, report func(Result)) []Result {
	var results []Result
	for _, c := range cases {
		if ctx.Err() != nil {
			break
		}
		begin := now()
		r := Result{Case: c}
		r.Differences, r.Err = p.Play(ctx, c)
		r.Took = now().Sub(begin)
		report(r)
		results = append(results, r)
	}
	return results
}
