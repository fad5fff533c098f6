package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// configTable returns the README's table of settings, made from Config's tags.
func configTable() (string, error) {
	var c struct {
		Config `embed:""`
	}
	parser, err := kong.New(&c, newLoader().options()...)
	if err != nil {
		return "", fmt.Errorf("read the settings: %w", err)
	}
	var b strings.Builder
	b.WriteString("| flag and TOML key | environment | default | meaning |\n| --- | --- | --- | --- |\n")
	for _, f := range parser.Model.Flags {
		if len(f.Envs) > 0 {
			fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", f.Name, f.Envs[0], code(f.Default), cell(f.Help))
		}
	}
	b.WriteString("| none | `RESEED_SMTP_PASSWORD` | | The SMTP user's password; wins over `smtp-password-file`. |\n")
	return b.String(), nil
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
