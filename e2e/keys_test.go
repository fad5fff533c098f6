package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/app"
)

// TestLostKeyFileIsNotReplacedInSilence holds that a server whose key is gone
// doesn't make another one while mails wait for it: they could never be sent.
func TestLostKeyFileIsNotReplacedInSilence(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{})
	start := func() error {
		again, err := app.NewReady(t.Context(), site.Config, app.Deps{Log: site.Log, Now: site.clock.now, Hashing: cheapHashing})
		if err == nil {
			err = again.Close()
		}
		return err
	}
	if err := os.Remove(site.Config.KeyFile); err != nil {
		t.Fatal(err)
	}
	if err := start(); err != nil {
		t.Errorf("with no mail waiting: %v", err)
	}
	site.send(t, [3]string{"POST", "/members/resetpassword", "email=ann@example.org"}, anybody)
	if err := os.Remove(site.Config.KeyFile); err != nil {
		t.Fatal(err)
	}
	err := start()
	if err == nil || !strings.Contains(err.Error(), "key rotate --fresh") || !strings.Contains(err.Error(), site.Config.KeyFile) {
		t.Errorf("with a mail waiting: %v does not name file and cure", err)
	}
	if _, err := os.Stat(site.Config.KeyFile); err == nil {
		t.Error("a new key was made all the same")
	}
}
