// Reseed answers the reset-password services of PageSeeder and Wix, mails the
// tokens and sets the new passwords.
package main

import (
	"context"
	"embed"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/reseed-project/reseed/cli"
)

// contractCases are what "reseed contract run" plays.
//
//go:embed testdata/contract
var contractCases embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, os.Args[1:], &cli.Console{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now, Cases: contractCases}))
}
