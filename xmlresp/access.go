package xmlresp

// AccessToken answers the OAuth token service (RFC 6749, 5.1). It is sent as
// JSON alone.
type AccessToken struct {
	Token     string
	ExpiresIn int64 // seconds
}

func (a AccessToken) element() element {
	return element{name: "token", attrs: []attr{
		{"access_token", a.Token}, {"token_type", "bearer"}, {"expires_in", a.ExpiresIn},
	}}
}

// OAuthError answers the OAuth token service where it fails (RFC 6749, 5.2). It
// is sent as JSON alone.
type OAuthError struct {
	Code        string
	Description string
}

func (o OAuthError) element() element {
	return element{name: "error", attrs: []attr{{"error", o.Code}, {"error_description", o.Description}}}
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
	e := element{name: "authenticate", attrs: []attr{{"status", a.Status}}}
	if a.Member != nil {
		e.children = []element{a.Member.element()}
	}
	return e
}
