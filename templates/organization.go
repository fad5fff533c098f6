package templates

import (
	"fmt"
	htmltemplate "html/template"
	"regexp"
	"strings"

	"github.com/beevik/etree"
)

// organizationFile is the vendor's file for a project's mails, if the vendor has it.
const organizationFile = "organization/organization-config.xml"

// OrganizationLook is what of organization-config.xml built-in mails show.
type OrganizationLook struct {
	Logo             string // address of a picture
	Footer           string
	Font             string // CSS font-family
	HeaderBackground string // colours, #rgb or #rrggbb
	HeaderText       string
	FooterBackground string
	FooterText       string
}

var fontFamily = regexp.MustCompile(`^[A-Za-z0-9 ,'"_-]*$`)

// FontFamily is Font, known to be safe in a style.
func (l OrganizationLook) FontFamily() htmltemplate.CSS { return htmltemplate.CSS(l.Font) } //nolint:gosec // held to fontFamily

// parseOrganization reads the email element: sender, address of links, logo,
// application, footer, font and colours. What else the file holds (dkim,
// banners, ui, security) has no meaning here and is left alone.
func parseOrganization(text string) (MailSettings, error) {
	var m MailSettings
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		return m, err
	}
	root := doc.Root()
	if root == nil || root.Tag != "organization-config" {
		return m, fmt.Errorf("want an organization-config element")
	}
	value := func(path, attribute string) string {
		e := root.FindElement("./email/" + path)
		if e == nil {
			return ""
		}
		return line(e.SelectAttrValue(attribute, ""), maxDescription)
	}
	m.FromName, m.FromAddress = value("sender", "name"), value("sender", "email")
	m.LinkPrefix = strings.TrimRight(value("links", "prefix"), "/")
	m.Brand.Name = title(value("application", "name"))
	m.Brand.OrganizationLook = OrganizationLook{
		Footer: value("footer", "text"), Font: value("style/text", "font-family"),
		HeaderBackground: value("style/header", "background-color"), HeaderText: value("style/header", "text-color"),
		FooterBackground: value("style/footer", "background-color"), FooterText: value("style/footer", "text-color"),
	}
	if prefix, file := value("images", "prefix"), value("images", "logo-filename"); prefix != "" && file != "" {
		m.Brand.Logo = strings.TrimRight(prefix, "/") + "/" + file
	}
	return m, organizationFault(m)
}

func organizationFault(m MailSettings) error {
	if err := addressFault(m.FromAddress); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	look := m.Brand.OrganizationLook
	for what, address := range map[string]string{"links": m.LinkPrefix, "images": look.Logo} {
		if address == "" {
			continue
		}
		if _, err := parseWebURL(address); err != nil {
			return fmt.Errorf("%s: %q: %w", what, address, err)
		}
	}
	if !fontFamily.MatchString(look.Font) {
		return fmt.Errorf("text font-family: %q: want names of fonts with commas between", look.Font)
	}
	for what, value := range map[string]string{
		"header background-color": look.HeaderBackground, "header text-color": look.HeaderText,
		"footer background-color": look.FooterBackground, "footer text-color": look.FooterText,
	} {
		if value != "" && !anyColour.MatchString(value) {
			return fmt.Errorf("%s: %q: want a colour such as #1d4ed8", what, value)
		}
	}
	return nil
}
