package xmlresp

// AccessToken answers the OAuth token service (RFC 6749, 5.1). It is sent as
// JSON alone.
type AccessToken struct {
	Token     string
	ExpiresIn int64  // seconds
	Refresh   string // "": none
	ID        string // the id token; "": none
}

func (a AccessToken) element() element {
	e := element{name: "token", attrs: []attr{
		{name: "access_token", value: a.Token}, {name: "token_type", value: "bearer"}, {name: "expires_in", value: a.ExpiresIn},
	}}
	if a.Refresh != "" {
		e.attrs = append(e.attrs, attr{name: "refresh_token", value: a.Refresh})
	}
	if a.ID != "" {
		e.attrs = append(e.attrs, attr{name: "id_token", value: a.ID})
	}
	return e
}

// OAuthError answers the OAuth token service if it fails (RFC 6749, 5.2). It
// is sent as JSON alone.
type OAuthError struct {
	Code        string
	Description string
}

func (o OAuthError) element() element {
	return element{name: "error", attrs: []attr{{name: "error", value: o.Code}, {name: "error_description", value: o.Description}}}
}

// The statuses of signing in and out.
const (
	LoggedIn  = "logged-in"
	LoggedOut = "logged-out"
)

// Authenticate answers the authenticate service (contract 1.5): with the
// member after a login.
type Authenticate struct {
	Status string
	Member *MemberDoc
}

func (a Authenticate) element() element {
	e := element{name: "authenticate", attrs: []attr{{name: "status", value: a.Status}}}
	if a.Member != nil {
		e.children = []element{a.Member.element()}
	}
	return e
}

// SessionReset answers the service that gives a session another id (contract 1.5).
type SessionReset struct{ Status string }

func (r SessionReset) element() element {
	return element{name: "session", attrs: []attr{{name: "status", value: r.Status}}}
}

// PasswordMeter says how strong a password is (contract 1.5).
type PasswordMeter struct {
	Level string // WEAK, MEDIUM, GOOD or STRONG
	Score int64  // 0 to 4
}

func (p PasswordMeter) element() element {
	return element{name: "password-meter", attrs: []attr{{name: "level", value: p.Level}, {name: "score", value: p.Score}}}
}
