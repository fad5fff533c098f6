package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/store"
)

// MigrateCmd is reseed migrate.
type MigrateCmd struct {
	Check bool `help:"Change nothing; fail if the schema is older than this program."`
}

// Help shows examples.
func (MigrateCmd) Help() string { return example("reseed migrate", "reseed migrate --check") }

// Run brings the schema up to date and prints its version.
func (c *MigrateCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	s, err := app.ConnectStore(ctx, cfg, std.Now, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	if !c.Check {
		if err := s.Migrate(ctx); err != nil {
			return err
		}
	}
	have, want, err := s.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(std.Out, have)
	if have < want {
		return fmt.Errorf("%w: version %d, want %d", store.ErrOldSchema, have, want)
	}
	if have == want {
		fmt.Fprintln(std.Err, "the schema is current")
	}
	if have > want {
		fmt.Fprintf(std.Err, "the schema is newer than this program, which is made for %d\n", want)
	}
	return nil
}

// CheckCmd is reseed check.
type CheckCmd struct{}

// Help shows an example.
func (CheckCmd) Help() string { return example("reseed check") }

// errFindings is the outcome of a check that found something.
var errFindings = errors.New("the database needs attention")

// Run prints what about the database endangers what is promised, and fails
// if it finds anything.
func (CheckCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	s, err := app.ConnectStore(ctx, cfg, std.Now, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	warnings, err := s.Check(ctx)
	if err != nil {
		return err
	}
	if err := s.CheckSchema(ctx); err != nil {
		warnings = append(warnings, err.Error()+": run reseed migrate")
	}
	for _, w := range warnings {
		fmt.Fprintln(std.Out, w)
	}
	if len(warnings) > 0 {
		return errFindings
	}
	fmt.Fprintln(std.Err, "the database is in order: its settings endanger nothing, and its schema is current")
	return nil
}
