// Package seed reads documents that say who exists on a server, and puts them
// into its store: groups, members, Wix sites with their keys, OAuth clients.
// They are for demonstrations and tests, since they hold passwords in clear.
package seed

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
)

// Document says who exists. In TOML its lists have names in the singular, as
// in [[member]].
type Document struct {
	// Settings of a test server: keys and values of its configuration file.
	Settings map[string]any `json:"settings,omitempty" yaml:"settings" toml:"settings"`
	// Templates of a test server: texts by their path in the templates folder.
	Templates map[string]string `json:"templates,omitempty" yaml:"templates" toml:"templates"`
	// Clock is when a test server begins (RFC 3339); it then stands until it is
	// told to go on. Without it the server has the time of the machine.
	Clock   string   `json:"clock,omitempty" yaml:"clock" toml:"clock"`
	Groups  []Group  `json:"groups,omitempty" yaml:"groups" toml:"group"`
	Members []Member `json:"members,omitempty" yaml:"members" toml:"member"`
	Sites   []Site   `json:"sites,omitempty" yaml:"sites" toml:"site"`
	Clients []Client `json:"clients,omitempty" yaml:"clients" toml:"client"`
}

// Group is a group, or a project if others hang under its name.
type Group struct {
	Name        string `json:"name" yaml:"name" toml:"name"`
	Title       string `json:"title,omitempty" yaml:"title" toml:"title"`
	Description string `json:"description,omitempty" yaml:"description" toml:"description"`
}

// Member is a member. Status is activated unless it says another; Groups are
// names; LockedFor is a duration such as 30m, from the time of seeding.
type Member struct {
	Username   string   `json:"username,omitempty" yaml:"username" toml:"username"`
	Email      string   `json:"email,omitempty" yaml:"email" toml:"email"`
	Firstname  string   `json:"firstname,omitempty" yaml:"firstname" toml:"firstname"`
	Surname    string   `json:"surname,omitempty" yaml:"surname" toml:"surname"`
	Status     string   `json:"status,omitempty" yaml:"status" toml:"status"`
	Language   string   `json:"language,omitempty" yaml:"language" toml:"language"`
	Password   string   `json:"password,omitempty" yaml:"password" toml:"password"`
	Admin      bool     `json:"admin,omitempty" yaml:"admin" toml:"admin"`
	Locked     bool     `json:"locked,omitempty" yaml:"locked" toml:"locked"`
	APIAccount bool     `json:"api-account,omitempty" yaml:"api-account" toml:"api_account"`
	LockedFor  string   `json:"locked-for,omitempty" yaml:"locked-for" toml:"locked_for"`
	Groups     []string `json:"groups,omitempty" yaml:"groups" toml:"groups"`
}

// Site is a Wix site.
type Site struct {
	ID        string   `json:"id" yaml:"id" toml:"id"`
	Group     string   `json:"group" yaml:"group" toml:"group"`
	Redirects []string `json:"redirects,omitempty" yaml:"redirects" toml:"redirects"`
	ClientID  string   `json:"client-id,omitempty" yaml:"client-id" toml:"client_id"` // default: ID
	Register  bool     `json:"allow-register,omitempty" yaml:"allow-register" toml:"allow_register"`
	Keys      []Key    `json:"keys,omitempty" yaml:"keys" toml:"key"`
}

// Key is an API key of a Wix site.
type Key struct {
	Key    string   `json:"key" yaml:"key" toml:"key"`
	Scopes []string `json:"scopes,omitempty" yaml:"scopes" toml:"scopes"`
}

// Client is an OAuth client; Member is the username of whom it acts as.
type Client struct {
	ID     string `json:"id" yaml:"id" toml:"id"`
	Secret string `json:"secret" yaml:"secret" toml:"secret"`
	Name   string `json:"name" yaml:"name" toml:"name"`
	Member string `json:"member,omitempty" yaml:"member" toml:"member"`
}

// Parse reads a document in YAML or JSON, which is YAML, too. Unknown names are faults.
func Parse(raw []byte) (*Document, error) {
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	var doc Document
	if err := d.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the seed: %w", err)
	}
	var more any
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("read the seed: want one document")
	}
	return &doc, nil
}

// ParseTOML reads a document in TOML. Unknown names are faults.
func ParseTOML(raw []byte) (*Document, error) {
	d := toml.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var doc Document
	if err := d.Decode(&doc); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			return nil, fmt.Errorf("read the seed: %s", strict.String())
		}
		return nil, fmt.Errorf("read the seed: %w", err)
	}
	return &doc, nil
}
