package app

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/server"
)

// Only a server that mails nothing, and was not told a rate, spares its own machine.
func TestClientRate(t *testing.T) {
	for settings, want := range map[string]server.Rates{
		"":                    {Client: 600, Total: 30000, ExemptLocal: true},
		"client-rate = 600\n": {Client: 600, Total: 30000},
		"client-rate = 0\n":   {Total: 30000},
		"smtp = 'smtp://127.0.0.1:25?starttls=never'\nhost-url = 'https://example.org/ps'\n": {Client: 600, Total: 30000},
	} {
		file := filepath.Join(t.TempDir(), "reseed.toml")
		if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
		c, _, err := config.Load([]string{"--config", file}, true)
		if err != nil {
			t.Fatal(err)
		}
		if got := rates(c); got != want {
			t.Errorf("%s%+v, want %+v", settings, got, want)
		}
	}
}
