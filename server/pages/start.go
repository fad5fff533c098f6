package pages

import (
	"net/http"
	"net/url"
)

// startData is what the start page shows.
type startData struct {
	HostURL string
	Origin  string
	Groups  []startGroup
}

type startGroup struct {
	Name, Title, Form string
}

// shownGroups is how many groups the start page names.
const shownGroups = 20

// showStart tells what runs here, and how to try it.
func (p *Pages) showStart(v *pageRequest) (*reply, error) {
	v.showAsReseed()
	all, err := p.Members.AllGroups(v.Context())
	if err != nil {
		return nil, err
	}
	origin := url.URL{Scheme: p.host.Scheme, Host: p.host.Host}
	data := startData{HostURL: p.HostURL, Origin: origin.String()}
	for _, g := range all[:min(len(all), shownGroups)] {
		data.Groups = append(data.Groups, startGroup{
			Name: g.Name, Title: g.Title, Form: p.base + "/" + url.PathEscape(g.Name) + "/resetpassword",
		})
	}
	return v.render(http.StatusOK, "start", "Start", data)
}
