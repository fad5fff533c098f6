package wix

import (
	"net/http"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// acceptedAnswer is the answer of send-set-password-email.
type acceptedAnswer struct {
	Accepted bool `json:"accepted"`
}

// sendSetPassword answers contract 2.1. Like the vendor's gateway it looks at
// the key first, then at the body, then at the cap.
func (s services) sendSetPassword(r *http.Request) (any, error) {
	site, err := s.manager(r)
	if err != nil {
		return nil, err
	}
	f, err := s.object(r)
	if err != nil {
		return nil, err
	}
	wanted := members.SetPasswordRequest{Email: f.email("email"), HideIgnoreMessage: f.flag("hideIgnoreMessage")}
	// Deprecated: true asks for the sentence, which is there in any case unless
	// hideIgnoreMessage, which wins, says otherwise.
	f.flag("requestedByMember")
	if err := f.fault(); err != nil {
		return nil, err
	}
	return acceptedAnswer{true}, s.SendSetPassword(r.Context(), site, wanted)
}

// sendRecovery answers send-email of contract 2.2. It is public: site runtimes
// call it without a key.
func (s services) sendRecovery(r *http.Request) (any, error) {
	f, err := s.object(r)
	if err != nil {
		return nil, err
	}
	caller, err := s.visitor(r)
	if err != nil {
		return nil, err
	}
	redirect := f.object("redirect")
	wanted := members.RecoveryRequest{
		Email:       f.email("email"),
		Language:    f.language("language"),
		RedirectURL: redirect.text("url", members.MaxRedirect),
		ClientID:    redirect.text("clientId", members.MaxRedirect),
		Caller:      caller,
		SiteID:      onlyValue(r.Header, "wix-site-id"),
	}
	if err := f.fault(); err != nil {
		return nil, err
	}
	return struct{}{}, s.SendRecovery(r.Context(), wanted)
}

// sendActivation answers activation-email of contract 2.2.
func (s services) sendActivation(r *http.Request) (any, error) {
	site, err := s.manager(r)
	if err != nil {
		return nil, err
	}
	f, err := s.object(r)
	if err != nil {
		return nil, err
	}
	id := f.memberID("identityId")
	options := f.object("emailOptions")
	redirect := options.object("redirect")
	wanted := members.Options{
		Language: options.language("language"), RedirectURL: redirect.text("url", members.MaxRedirect),
	}
	if err := f.fault(); err != nil {
		return nil, err
	}
	return struct{}{}, s.SendActivation(r.Context(), site, id, wanted)
}

// stateAnswer is the answer of recover, login and register.
type stateAnswer struct {
	State        string    `json:"state"`
	SessionToken string    `json:"sessionToken,omitempty"`
	Identity     *identity `json:"identity,omitempty"`
}

// success is the only state there is: others would ask for more, such as a code
// that was mailed.
const success = "SUCCESS"

// recoverPassword answers recover of contract 2.2.
func (s services) recoverPassword(r *http.Request) (any, error) {
	f, err := s.object(r)
	if err != nil {
		return nil, err
	}
	caller, err := s.visitor(r)
	if err != nil {
		return nil, err
	}
	token, newPassword := f.required("recoveryToken"), f.password("password")
	if err := f.fault(); err != nil {
		return nil, err
	}
	return stateAnswer{State: success}, s.Recover(r.Context(), caller.Site, password.CleanToken(token), newPassword)
}
