package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"reseed/errcodes"
	"reseed/members"
	"reseed/xmlresp"
)

// wixError is an error as the Wix services show it (contract 2.1). Nothing of
// the request is in it.
type wixError struct {
	status  int
	Message string     `json:"message"`
	Details wixDetails `json:"details"`
}

type wixDetails struct {
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
func (e *wixError) Error() string {
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
func invalid(violations ...violation) *wixError {
	var parts []string
	for _, v := range violations {
		parts = append(parts, v.Field+" "+v.Description)
	}
	return &wixError{
		status: http.StatusBadRequest, Message: strings.Join(parts, ", "),
		Details: wixDetails{Validation: &validationError{violations}},
	}
}

// errNotObject answers what is not JSON, or no JSON object.
func errNotObject() *wixError {
	return &wixError{status: http.StatusBadRequest, Message: "Expected an object"}
}

// application returns the error of a code, in words that the SDK shows.
func application(status int, code, message string) *wixError {
	return &wixError{status: status, Message: message, Details: wixDetails{
		Application: &applicationError{Code: code, Description: message},
	}}
}

// wixErrorOf translates an error of the catalogue. What has no word in the
// vendor's vocabulary gets empty details.
func wixErrorOf(err error) *wixError {
	if errors.Is(err, members.ErrRedirect) {
		return invalid(violation{"redirect.url", "is not an allowed redirect URL", "OTHER", map[string]any{}})
	}
	var own *wixError
	if errors.As(err, &own) {
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
	case e.Code == errcodes.WrongMethod:
		return &wixError{status: http.StatusMethodNotAllowed, Message: "Method not allowed"}
	default:
		return &wixError{status: e.HTTPStatus(), Message: e.Message()}
	}
}

// logged returns an error as the request's log line has it.
func (e *wixError) logged(err error) *errcodes.Error {
	if known := (*errcodes.Error)(nil); errors.As(err, &known) {
		return known
	}
	if e.status == http.StatusBadRequest {
		return errcodes.Wrap(errcodes.MalformedRequest, e)
	}
	return errcodes.From(err)
}

// handleWix adapts a Wix service to HTTP.
func (s *server) handleWix(f wixService) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noteRoute(r)
		answer, err := f(r)
		writeWix(w, r, answer, err)
	})
}

// writeWix is the one place where the Wix services' answers become bytes.
func writeWix(w http.ResponseWriter, r *http.Request, answer any, err error) {
	status := http.StatusOK
	if err != nil {
		e := wixErrorOf(err)
		status, answer = e.status, e
		logged := e.logged(err)
		noteError(r.Context(), logged)
		wixHeaders(w.Header(), status, logged)
	}
	body, err := json.Marshal(answer)
	if err != nil { // can't be: the answers are structs of text
		panic(err)
	}
	w.Header().Set("Content-Type", xmlresp.JSON.ContentType())
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is no fault of ours
}

// wixHeaders adds what a status asks for.
func wixHeaders(h http.Header, status int, e *errcodes.Error) {
	switch status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodPost)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(max(e.RetryAfter, 1)))
	}
}
