package cli

import (
	"context"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/demo"
)

// Run plays both services through both steps, and keeps serving until it is interrupted.
func (c DemoCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return demo.Run(ctx, std.Out, cfg, c.Once)
}
