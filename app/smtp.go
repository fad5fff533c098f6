package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/mail"
)

// SMTPConfig returns how the settings have mails sent.
func SMTPConfig(c *config.Config) (mail.SMTPConfig, error) {
	smtp, err := mail.ParseURL(c.SMTP)
	if err != nil {
		return smtp, err
	}
	smtp.Password = mail.Secret(c.SMTPPassword.Reveal())
	smtp.HELO = helloName(c)
	smtp.Token = tokenSource(c.SMTPTokenFile, c.SMTPTokenCommand)
	smtp.DKIM, err = mail.LoadDKIM(c.DKIMKeys)
	return smtp, err
}

// GroupSMTPConfig returns how a group's own mail server is talked to: greeted and
// signed for as the program's own is, with the user and the secret of the group.
func GroupSMTPConfig(c *config.Config, s mail.Server) (mail.SMTPConfig, error) {
	smtp, err := mail.ParseURL(s.URL)
	if err != nil {
		return smtp, err
	}
	if s.PasswordFile != "" {
		secret, err := config.ReadSecretFile(s.PasswordFile)
		if err != nil {
			return smtp, err
		}
		smtp.Password = mail.Secret(secret.Reveal())
	}
	smtp.HELO = helloName(c)
	smtp.Token = tokenSource(s.TokenFile, "")
	smtp.DKIM, err = mail.LoadDKIM(c.DKIMKeys)
	return smtp, err
}

// helloName is what this server calls itself to a mail server, "" if it has no
// name: then it gives its address (RFC 5321 4.1.4). It is never a bare word, which
// many refuse.
func helloName(c *config.Config) string {
	if c.SMTPHello != "" {
		return c.SMTPHello
	}
	names := []string{}
	if u, err := url.Parse(c.HostURL); err == nil {
		names = append(names, u.Hostname())
	}
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	for _, name := range names {
		if mail.ValidAddress("x@" + name) { // a domain of two labels at least, no address
			return name
		}
	}
	return ""
}

// tokenTime is how long a command that prints a token may take.
const tokenTime = 30 * time.Second

// tokenSource reads a token from the file, else from the command's output.
func tokenSource(file, command string) mail.TokenSource {
	if file == "" && command == "" {
		return nil
	}
	return func(ctx context.Context) (mail.Secret, error) {
		text, err := readToken(ctx, file, command)
		token := strings.TrimSpace(string(text))
		if err == nil && (token == "" || strings.ContainsAny(token, "\x00\x01\r\n ")) {
			err = errors.New("not one word")
		}
		return mail.Secret(token), err
	}
}

func readToken(ctx context.Context, file, command string) ([]byte, error) {
	if file != "" {
		secret, err := config.ReadSecretFile(file)
		return []byte(secret.Reveal()), err
	}
	ctx, cancel := context.WithTimeout(ctx, tokenTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/bin/sh", "-c", command).Output() //nolint:gosec // the operator's own
	if err != nil {
		return nil, fmt.Errorf("smtp-token-command: %w", err)
	}
	return out, nil
}
