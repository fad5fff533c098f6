package request

import (
	"net/http"
	"net/url"
)

// ByForeignPage reports whether a browser says that a page of another origin
// made it send the request. Browsers add the cookies and Basic credentials that
// they keep, whoever wrote the form (WEB-13); over plain HTTP they name its
// origin alone. Programs say nothing of the kind. Own is the host that browsers
// know this server by, beside the request's own; "" for none.
func ByForeignPage(r *http.Request, own string) bool {
	if from := r.Header.Get("Sec-Fetch-Site"); from != "" {
		return from != "same-origin" && from != "none"
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host && (own == "" || u.Host != own)
}
