package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/reseed-project/reseed/password"
)

// secret is a value that no flag takes as such. It comes from its environment
// variable, else from the file that a setting names, else from a credential that
// systemd passes (systemd.exec(5), LoadCredential=).
type secret struct {
	name       string // what its source and its faults are told under
	env        string
	credential string
	help       string
	target     func(*Config) *password.Secret
	file       func(*Config) string // the setting of this name with -file
	serving    bool                 // only a server needs it
}

var secrets = []secret{
	{"database", "RESEED_DATABASE", "database", "",
		func(c *Config) *password.Secret { return &c.Database }, func(c *Config) string { return c.DatabaseFile }, false},
	{"smtp-password", "RESEED_SMTP_PASSWORD", "smtp-password", "The SMTP user's password.",
		func(c *Config) *password.Secret { return &c.SMTPPassword }, func(c *Config) string { return c.SMTPPasswordFile }, true},
	{"key", "RESEED_KEY", "", "The text of a key file.",
		func(c *Config) *password.Secret { return &c.Key }, func(*Config) string { return "" }, false},
}

// readSecrets fills in the secrets, and says what is wrong with their files.
func (l *Loader) readSecrets(c *Config, serving bool) {
	credentials, _ := l.lookup("CREDENTIALS_DIRECTORY")
	for _, s := range secrets {
		target := s.target(c)
		_, elsewhere := l.sources[s.name] // than on the command line, where even an empty one counts
		if *target != "" || s.serving && !serving || s.name == "database" && !elsewhere {
			continue
		}
		if value, _ := l.lookup(s.env); value != "" {
			*target, l.sources[s.name] = password.Secret(value), s.env
			continue
		}
		path := s.file(c)
		if path == "" {
			path = credential(credentials, s.credential)
		}
		if path == "" {
			continue
		}
		text, err := ReadSecretFile(path)
		if err != nil {
			l.faults = append(l.faults, fmt.Errorf("%s%s-file: %w", l.place(s.name+"-file"), s.name, err))
			l.unreadable = append(l.unreadable, s.name)
			continue
		}
		*target, l.sources[s.name] = text, path
	}
	if path := credential(credentials, "token.key"); c.KeyFile == "" && c.Key == "" && path != "" {
		c.KeyFile, l.sources["key-file"] = path, "systemd credential"
	}
}

// credential returns the file of a systemd credential, "" if there is none.
func credential(folder, name string) string {
	if folder == "" || name == "" {
		return ""
	}
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// ReadSecretFile reads a secret from a file, without the line end after it. The
// file must be in order as package password has it.
func ReadSecretFile(name string) (password.Secret, error) {
	content, err := password.ReadSecretFile(name)
	return password.Secret(strings.TrimRight(string(content), "\r\n")), err
}
