package wix

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/xmlresp"
)

// shownError is an error as the Wix services show it (contract 2.1). Nothing of
// the request is in it.
type shownError struct {
	status  int
	allow   string  // the method that the path takes, for 405
	OAuth   string  `json:"error,omitempty"` // of the token service alone (RFC 6749 5.2)
	Message string  `json:"message"`
	Details details `json:"details"`
}

type details struct {
	Application *applicationError `json:"applicationError,omitempty"`
	Validation  *validationError  `json:"validationError,omitempty"`
}

// applicationError's description is the error's message: the vendor's SDK
// joins them when they differ.
type applicationError struct {
	Code        string   `json:"code"`
	Description string   `json:"description"`
	Data        struct{} `json:"data"`
}

type validationError struct {
	Violations []violation `json:"fieldViolations"`
}

// violation is what is wrong with a field.
type violation struct {
	Field       string         `json:"field"`
	Description string         `json:"description"`
	Rule        string         `json:"violatedRule"`
	Data        map[string]any `json:"data"`
}

// Error names the fields and rules, for the log.
func (e *shownError) Error() string {
	if e.Details.Validation == nil {
		return e.Message
	}
	var parts []string
	for _, v := range e.Details.Validation.Violations {
		parts = append(parts, v.Field+" "+v.Rule)
	}
	return strings.Join(parts, ", ")
}

// invalid returns the error of fields that break the rules.
func invalid(violations ...violation) *shownError {
	var parts []string
	for _, v := range violations {
		parts = append(parts, v.Field+" "+v.Description)
	}
	return &shownError{
		status: http.StatusBadRequest, Message: strings.Join(parts, ", "),
		Details: details{Validation: &validationError{violations}},
	}
}

// errNotObject answers what is not JSON, or no JSON object.
func errNotObject() *shownError {
	return &shownError{status: http.StatusBadRequest, Message: "Expected an object"}
}

// application returns the error of a code, in words that the SDK shows.
func application(status int, code, message string) *shownError {
	return &shownError{status: status, Message: message, Details: details{
		Application: &applicationError{Code: code, Description: message},
	}}
}

// errorOf translates an error of the catalogue. What has no word in the
// vendor's vocabulary gets empty details.
func errorOf(err error) *shownError {
	if errors.Is(err, members.ErrRedirect) {
		return invalid(violation{"redirect.url", "is not an allowed redirect URL", "OTHER", map[string]any{}})
	}
	var own *shownError
	if errors.As(err, &own) {
		return own
	}
	if own = siteError(err); own != nil {
		return own
	}
	e := errcodes.From(err)
	switch {
	case errors.Is(err, members.ErrTokenExpired):
		return application(http.StatusBadRequest, "EXPIRED_JWT_TOKEN", "The recovery token has expired")
	case e.Code == errcodes.InvalidToken:
		return application(http.StatusNotFound, "RECOVERY_TOKEN_DATA_NOT_FOUND", "The recovery token was not found")
	case e.Code == errcodes.WeakPassword || e.Code == errcodes.PasswordIsUsername:
		return application(http.StatusBadRequest, "INVALID_PASSWORD", e.Message())
	case e.Code == errcodes.Forbidden && e.HTTPStatus() == http.StatusUnauthorized:
		return application(http.StatusUnauthorized, "UNAUTHENTICATED", "The API key is missing or not known")
	case e.Code == errcodes.Forbidden:
		return application(http.StatusForbidden, "PERMISSION_DENIED", "The API key may not manage the members of this site")
	case e.Code == errcodes.TooManyRequests:
		return application(http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "Too many requests")
	case e.Code == errcodes.Unavailable:
		return application(http.StatusServiceUnavailable, "UNAVAILABLE", e.Message())
	case e.Code == errcodes.NoSuchMember:
		return application(http.StatusNotFound, "MEMBER_NOT_FOUND", "The site has no such member")
	case e.Code == errcodes.NoSuchService:
		return application(http.StatusNotFound, "NOT_FOUND", "No such service")
	default:
		return &shownError{status: e.HTTPStatus(), Message: e.Message()}
	}
}

// siteError translates what is wrong with tokens and accounts of a site; nil for
// other errors.
func siteError(err error) *shownError {
	switch {
	case errors.Is(err, members.ErrClientID):
		return oauthError(http.StatusBadRequest, "invalid_client", "No site has this client id")
	case errors.Is(err, members.ErrGrant):
		return oauthError(http.StatusBadRequest, "invalid_grant", "The token or code is not valid")
	case errors.Is(err, members.ErrSiteAccess):
		return application(http.StatusUnauthorized, "UNAUTHENTICATED", "The access token has expired or is not known")
	case errors.Is(err, members.ErrForeignClient):
		return application(http.StatusForbidden, "PERMISSION_DENIED", "The access token is for another site")
	case errors.Is(err, members.ErrRegistrationClosed):
		return application(http.StatusForbidden, "PERMISSION_DENIED", "The site does not let people register")
	case errors.Is(err, members.ErrEmailTaken):
		return application(http.StatusConflict, "-19995", "A member with this email address exists already")
	}
	return nil
}

// oauthError returns an error that OAuth clients can read as well.
func oauthError(status int, code, message string) *shownError {
	e := application(status, code, message)
	e.OAuth = code
	return e
}

func errUnauthenticated() *shownError {
	return application(http.StatusUnauthorized, "UNAUTHENTICATED", "An access token or API key is missing")
}

// signInError shows a refused sign-in by the code that the SDK knows.
func signInError(err error) error {
	if e := errcodes.From(err); e.Code == errcodes.Forbidden {
		return &refusedSignIn{application(http.StatusUnauthorized, "-19976", "The email address or password is wrong"), err}
	}
	return err
}

// refusedSignIn is what is shown, and for the log what it comes from.
type refusedSignIn struct {
	*shownError
	cause error
}

// Unwrap returns both.
func (e *refusedSignIn) Unwrap() []error { return []error{e.shownError, e.cause} }

// logged returns an error as the request's log line has it.
func (e *shownError) logged(err error) *errcodes.Error {
	if known := (*errcodes.Error)(nil); errors.As(err, &known) {
		return known
	}
	switch e.status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusNotImplemented:
		return errcodes.Wrap(errcodes.MalformedRequest, e)
	case http.StatusMethodNotAllowed:
		return errcodes.New(errcodes.WrongMethod)
	case http.StatusUnauthorized, http.StatusForbidden:
		return errcodes.Wrap(errcodes.Forbidden, e)
	}
	return errcodes.From(err)
}

// handle adapts a service to HTTP.
func handle(f service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request.SetRoute(r)
		answer, err := f(r)
		Write(w, r, answer, err)
	})
}

// Write is the one place where the Wix services' answers become bytes.
func Write(w http.ResponseWriter, r *http.Request, answer any, err error) {
	status := http.StatusOK
	w.Header().Set("X-Wix-Request-Id", request.RecordOf(r.Context()).ID)
	if a, ok := answer.(responder); ok && err == nil {
		a.respond(w)
		return
	}
	if err != nil {
		e := errorOf(err)
		status, answer = e.status, e
		logged := e.logged(err)
		request.SetError(r.Context(), logged)
		setHeaders(w.Header(), e, logged)
	}
	body, err := json.Marshal(answer)
	if err != nil { // can't be: the answers are structs of text
		panic(err)
	}
	w.Header().Set("Content-Type", xmlresp.JSON.ContentType())
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // it is not our fault if the client has gone
}

// setHeaders adds what a status asks for.
func setHeaders(h http.Header, e *shownError, logged *errcodes.Error) {
	switch e.status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusMethodNotAllowed:
		h.Set("Allow", e.allow)
	}
	request.SetRetryAfter(h, logged)
}
