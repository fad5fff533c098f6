package templates

import (
	"strings"
	"testing"
)

func TestNotificationRules(t *testing.T) {
	tests := []struct {
		name, template string
		change         func(*Notification)
		ok             bool
	}{
		{"complete", SetPassword, func(*Notification) {}, true},
		{"http", SetPassword, func(n *Notification) { n.HostURL, n.Link = "http://h:8080/ps", "http://h:8080/ps/x" }, true},
		{"unknown template", SetPassword, func(n *Notification) { n.Template = "../layout" }, false},
		{"no link", SetPassword, func(n *Notification) { n.Link = "" }, false},
		{"relative link", SetPassword, func(n *Notification) { n.Link = "/x" }, false},
		{"script", SetPassword, func(n *Notification) { n.Link = "javascript:alert(1)" }, false},
		{"script as host too", SetPassword, func(n *Notification) { n.HostURL, n.Link = "javascript://h/", "javascript://h/" }, false},
		{"other host", SetPassword, func(n *Notification) { n.Link = "https://evil.example/ps" }, false},
		{"other port", SetPassword, func(n *Notification) { n.Link = "https://example.org:444/ps" }, false},
		{"other scheme", SetPassword, func(n *Notification) { n.Link = "http://example.org/ps" }, false},
		{"user", SetPassword, func(n *Notification) { n.Link = "https://example.org@evil.example/" }, false},
		{"user of the host", SetPassword, func(n *Notification) { n.Link = "https://u@example.org/" }, false},
		{"line end in the link", SetPassword, func(n *Notification) { n.Link += "\nx" }, false},
		{"space in the link", SetPassword, func(n *Notification) { n.Link += " x" }, false},
		{"quote in the link", SetPassword, func(n *Notification) { n.Link += `"` }, false},
		{"beyond ASCII", SetPassword, func(n *Notification) { n.Link += "\u202e" }, false},
		{"long link", SetPassword, func(n *Notification) { n.Link += strings.Repeat("x", maxURL) }, false},
		{"line end in the token", SetPassword, func(n *Notification) { n.Token += "\n" }, false},
		{"no host URL", SetPassword, func(n *Notification) { n.HostURL = "" }, false},
		{"no host", SetPassword, func(n *Notification) { n.HostURL, n.Link = "https:///ps", "https:///ps" }, false},
		{"notice", ChangePassword, func(*Notification) {}, true},
		{"notice with token", ChangePassword, func(n *Notification) { n.Token = "secret-token" }, false},
		{"notice with link", ChangePassword, func(n *Notification) { n.Link = n.HostURL + "/secret-token" }, false},
	}
	set := loadDefaultSet(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := sample(tt.template, "", nil, true)
			tt.change(&n)
			_, err := set.Render(t.Context(), nil, n)
			if (err == nil) != tt.ok {
				t.Errorf("error = %v", err)
			}
		})
	}
}
