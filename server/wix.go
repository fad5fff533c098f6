package server

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"reseed/errcodes"
	"reseed/members"
)

// Wix is what the Wix services need of the use cases.
type Wix interface {
	AuthorizeSite(ctx context.Context, key, siteID string) (members.WixSite, error)
	SendSetPassword(ctx context.Context, site members.WixSite, r members.SetPasswordRequest) error
	SendRecovery(ctx context.Context, r members.RecoveryRequest) error
	Recover(ctx context.Context, token, password string) error
}

// wixService is one of the Wix services: a request in, an answer to encode or
// an error out.
type wixService func(*http.Request) (any, error)

// The paths of contract 2.1 and 2.2.
const (
	sendSetTail   = "/auth/members/send-set-password-email"
	sendEmailTail = "/recovery/v1/send-email"
	recoverTail   = "/recovery/v1/recover"
)

func sendSetPasswordPaths() []string {
	return []string{
		"/wix-sm/api/v1/auth/v1" + sendSetTail, // doubled, in truth
		"/wix-sm/api/v1" + sendSetTail,
		"/members/v1" + sendSetTail,
		"/identity/members/v1" + sendSetTail,
		"/_api/wix-sm-webapp/members/v1" + sendSetTail,
	}
}

func recoveryRoots() []string { return []string{"/_api/iam", "/_iam"} }

// isWix reports whether a path lies where the vendor's services are, those
// that are not served among them: clients look for the request id in each
// answer. No service of PageSeeder's lies there.
func isWix(path string) bool {
	return slices.ContainsFunc([]string{
		"/wix-sm/api/v1/", "/members/v1/auth/", "/identity/members/", "/_api/wix-sm-webapp/", "/_api/iam/", "/_iam/",
	}, func(root string) bool { return strings.HasPrefix(path, root) })
}

// identifyWix sets the request id that the vendor's clients look for.
func identifyWix(h http.Header, path, id string) {
	if isWix(path) {
		h.Set("X-Wix-Request-Id", id)
	}
}

// split hands on requests for the Wix services, which stand at the root, and
// all others to the rest of the server.
func (s *server) split(rest http.Handler) http.Handler {
	wix := s.wixServices()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isWix(r.URL.Path) {
			wix.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// wixServices lists the Wix services.
func (s *server) wixServices() http.Handler {
	r := mux.NewRouter().SkipClean(true)
	post := func(path string, f wixService) { r.Handle(path, s.handleWix(onlyPost(f))) }
	for _, path := range sendSetPasswordPaths() {
		post(path, s.sendSetPassword)
	}
	for _, root := range recoveryRoots() {
		post(root+sendEmailTail, s.sendRecovery)
		post(root+recoverTail, s.recoverPassword)
	}
	r.NotFoundHandler = s.handleWix(func(*http.Request) (any, error) { return nil, errcodes.New(errcodes.NoSuchService) })
	return r
}

func onlyPost(f wixService) wixService {
	return func(r *http.Request) (any, error) {
		if r.Method != http.MethodPost {
			return nil, errcodes.New(errcodes.WrongMethod)
		}
		return f(r)
	}
}

// acceptedAnswer is the answer of send-set-password-email.
type acceptedAnswer struct {
	Accepted bool `json:"accepted"`
}

// sendSetPassword answers contract 2.1. Like the vendor's gateway it looks at
// the key first, then at the body, then at the cap.
func (s *server) sendSetPassword(r *http.Request) (any, error) {
	body, err := bodyOf(r.Context())
	if err != nil {
		return nil, err
	}
	site, err := s.Wix.AuthorizeSite(r.Context(), apiKey(r.Header), onlyValue(r.Header, "wix-site-id"))
	if err != nil {
		return nil, err
	}
	f, err := readFields(body)
	if err != nil {
		return nil, err
	}
	request := members.SetPasswordRequest{Email: f.email("email"), HideIgnoreMessage: f.flag("hideIgnoreMessage")}
	// Deprecated: true asks for the sentence, which is there in any case unless
	// hideIgnoreMessage, which wins, says otherwise.
	f.flag("requestedByMember")
	if err := f.fault(); err != nil {
		return nil, err
	}
	return acceptedAnswer{true}, s.Wix.SendSetPassword(r.Context(), site, request)
}

// sendRecovery answers send-email of contract 2.2. It is public: site runtimes
// call it without a key.
func (s *server) sendRecovery(r *http.Request) (any, error) {
	body, err := bodyOf(r.Context())
	if err != nil {
		return nil, err
	}
	f, err := readFields(body)
	if err != nil {
		return nil, err
	}
	redirect := f.object("redirect")
	request := members.RecoveryRequest{
		Email:       f.email("email"),
		Language:    f.language("language"),
		RedirectURL: redirect.text("url", members.MaxRedirect),
		ClientID:    redirect.text("clientId", members.MaxRedirect),
		SiteID:      onlyValue(r.Header, "wix-site-id"),
	}
	if err := f.fault(); err != nil {
		return nil, err
	}
	return struct{}{}, s.Wix.SendRecovery(r.Context(), request)
}

// stateAnswer is the answer of recover.
type stateAnswer struct {
	State string `json:"state"`
}

// recoverPassword answers recover of contract 2.2.
func (s *server) recoverPassword(r *http.Request) (any, error) {
	body, err := bodyOf(r.Context())
	if err != nil {
		return nil, err
	}
	f, err := readFields(body)
	if err != nil {
		return nil, err
	}
	token, password := f.required("recoveryToken"), f.password("password")
	if err := f.fault(); err != nil {
		return nil, err
	}
	return stateAnswer{"SUCCESS"}, s.Wix.Recover(r.Context(), token, password)
}

// apiKey returns the raw key, which may come with the scheme Bearer; "" where
// it isn't given exactly once.
func apiKey(h http.Header) string {
	key := onlyValue(h, "Authorization")
	if scheme, rest, ok := strings.Cut(key, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(rest)
	}
	return key
}

// onlyValue returns a header's value; one that is given twice is no value at all.
func onlyValue(h http.Header, name string) string {
	if values := h.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}
