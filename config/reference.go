package config

import (
	"fmt"
	"strings"
)

// Table returns the tables of docs/reference-settings.md: every setting and
// secret, from what is declared.
func Table() (string, error) {
	settings, err := Settings()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	group := ""
	for _, s := range settings {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&b, "\n## %s\n\n| flag and TOML key | environment | default | values | meaning |\n| --- | --- | --- | --- | --- |\n", group)
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", s.Name, s.Env, code(s.Default), code(s.values()), cell(s.Help))
	}
	b.WriteString("\n## Secrets\n\n" +
		"No flag takes a secret as such, the database's address aside. Each is read from its variable, else from its file, else from the credential that systemd passes.\n\n" +
		"| environment | file | systemd credential | meaning |\n| --- | --- | --- | --- |\n" +
		"| `RESEED_DATABASE` | `database-file` | `database` | The database's address with its password. |\n" +
		"| `RESEED_SMTP_PASSWORD` | `smtp-password-file` | `smtp-password` | The SMTP user's password. |\n" +
		"| `RESEED_KEY` | `key-file` | `token.key` | The key that tokens are made with: the text of a key file. |\n")
	return b.String(), nil
}

// Example returns a TOML file with every setting, its meaning and its default,
// all commented out.
func Example() (string, error) {
	settings, err := Settings()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# Reseed's settings. What is commented out has its default.\n")
	group := ""
	for _, s := range settings {
		if s.Name == "config" {
			continue
		}
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&b, "\n##### %s\n", group)
		}
		fmt.Fprintf(&b, "\n# %s\n", strings.Join(wrap(s.Help, 96), "\n# "))
		if len(s.Choices) > 0 {
			fmt.Fprintf(&b, "# One of: %s\n", strings.Join(s.Choices, ", "))
		}
		fmt.Fprintf(&b, "#%s = %s\n", s.Name, s.toml())
	}
	return b.String(), nil
}

// values says what a setting takes.
func (s Setting) values() string {
	if limits := s.flag.Tag.Get("range"); limits != "" {
		return strings.NewReplacer("..", " to ", "|", " or ").Replace(limits)
	}
	return strings.Join(s.Choices, " or ")
}

// toml returns the default as TOML has it.
func (s Setting) toml() string {
	if isNumber(s.flag.Target.Type()) && s.Default != "" && strings.Trim(s.Default, "0123456789") == "" {
		return s.Default
	}
	return fmt.Sprintf("%q", s.Default)
}

// wrap breaks a text into lines of at most width bytes, where words allow.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + cell(s) + "`"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
