package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/server/request"
)

const (
	linkCookie = "reseed_link"
	doneCookie = "reseed_done" // digest of the link that this browser set a password with
	linkLife   = 15 * 60       // seconds that a page may stay as it is before the link must be opened again
)

// linkIn reads a link's parameters; ok tells whether there are any. What can't
// be a link of ours yields the zero Link.
func linkIn(p request.Params) (l members.Link, ok bool) {
	if token := p.Get("forgotPasswordToken"); token != "" {
		if password.WellFormed(password.Recovery, token) {
			l.Token = token
		}
		return l, true
	}
	token := p.Get("token")
	if token == "" {
		return l, false
	}
	id, err := strconv.ParseUint(p.Get("member"), 10, 63)
	if err == nil && id > 0 && password.WellFormed(password.Reset, token) {
		l = members.Link{MemberID: int64(id), Token: token}
	}
	return l, true
}

// linkInAddress reads a link that was pasted.
func linkInAddress(address string) members.Link {
	_, query, _ := strings.Cut(members.CleanIdentifier(address), "?")
	query, _, _ = strings.Cut(query, "#")
	p := request.Params{}
	if p.Add(query) != nil {
		return members.Link{}
	}
	l, _ := linkIn(p)
	return l
}

// cookie carries a link from the address bar to the page behind it. It ends
// soon, no script can read it, and it goes to the page alone. Lax, since
// browsers withhold a strict one on the redirect that follows a click in a
// web mailer.
func (p *Pages) cookie(name, value string) string {
	c := http.Cookie{ //nolint:gosec // G124: Secure follows the host URL: over plain http browsers drop secure cookies
		Name: name, Value: value, Path: p.base + "/changepassword", MaxAge: linkLife,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.host.Scheme == "https",
	}
	if value == "" {
		c.MaxAge = -1 // the browser forgets it
	}
	return c.String()
}

func cookieValue(l members.Link) string {
	return strconv.FormatInt(l.MemberID, 10) + "." + l.Token
}

// cookieLink reads the cookie; ok tells whether there is one.
func cookieLink(r *http.Request) (l members.Link, ok bool) {
	c, err := r.Cookie(linkCookie)
	if err != nil {
		return l, false
	}
	id, token, _ := strings.Cut(c.Value, ".")
	if id == "0" {
		l, _ = linkIn(request.Params{"forgotPasswordToken": token})
		return l, true
	}
	l, _ = linkIn(request.Params{"member": id, "token": token})
	return l, true
}

// usedHere reports whether this browser has set a password with the link just now.
func (v *pageRequest) usedHere(l members.Link) bool {
	c, err := v.Cookie(doneCookie)
	return err == nil && c.Value == linkDigest(l)
}

// linkDigest tells links apart without giving them away: a form must be sent with
// the link it was made for.
func linkDigest(l members.Link) string {
	sum := sha256.Sum256([]byte("reseed/page/v1\x00" + cookieValue(l)))
	return hex.EncodeToString(sum[:8])
}

// query returns the parameters of the address, none where they can't be read.
func (v *pageRequest) query() request.Params {
	p, err := v.exactQuery()
	if err != nil {
		return nil
	}
	return p
}

// exactQuery returns the parameters of the address. Error: F006.
func (v *pageRequest) exactQuery() (request.Params, error) {
	if strings.Count(v.URL.RawQuery, "&") >= v.pages.parameters {
		return nil, request.Malformed(errors.New("too many parameters"))
	}
	p := request.Params{}
	if err := p.Add(v.URL.RawQuery); err != nil {
		return nil, request.Malformed(err)
	}
	return p, nil
}

// form returns the parameters of the body alone: what is in an address was not
// typed into a form. Errors: F005, F006.
func (v *pageRequest) form() (request.Params, error) {
	r := *v.Request
	u := *v.URL
	u.RawQuery = ""
	r.URL = &u
	return request.ReadParams(&r, v.pages.parameters)
}

// hasLink tells whether an address carries a link, also one that can't be read.
func hasLink(u *url.URL) bool {
	return strings.Contains(u.RawQuery, "token=") || strings.Contains(u.RawQuery, "forgotPasswordToken=")
}
