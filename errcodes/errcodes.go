// Package errcodes is the catalogue of the errors a client can see: code, HTTP
// status, text and who may see it (contract 1.2 and 1.3).
package errcodes

import (
	"errors"
	"fmt"
	"strings"
)

// Code is a service error code. Clients parse it as bare base-16 digits.
type Code uint16

// The codes of the documented services, then those of our own, which lie in
// F000-FFFF so that they never collide with a documented one.
const (
	TokenRequired      Code = 0x0000
	Forbidden          Code = 0x0101
	NoSuchService      Code = 0x0102
	WrongMethod        Code = 0x0103
	NotAcceptable      Code = 0x0104
	MemberNotFound     Code = 0x0106
	GroupNotFound      Code = 0x0107
	MissingParameter   Code = 0x0201
	MissingGroup       Code = 0x0202
	MissingMember      Code = 0x0204
	InvalidUsername    Code = 0x1001
	IdentifierTaken    Code = 0x1004
	IdentifierRequired Code = 0x1008
	InvalidEmail       Code = 0x1002
	DifferentMembers   Code = 0x101A
	NoSuchMember       Code = 0x100E
	NoEmail            Code = 0x100F
	AlreadyActivated   Code = 0x1010
	WeakPassword       Code = 0x1015
	PasswordIsUsername Code = 0x1016
	APIAccount         Code = 0x1018
	AccountLocked      Code = 0x1019
	NotInGroup         Code = 0x1022
	InvalidToken       Code = 0x102A
	MailFailed         Code = 0x6001
	Internal           Code = 0xF001
	TooManyRequests    Code = 0xF003
	Unavailable        Code = 0xF004
	RequestTooLarge    Code = 0xF005
	MalformedRequest   Code = 0xF006
)

// String returns the code as it goes over the wire: four upper-case
// hexadecimal digits, no prefix.
func (c Code) String() string { return fmt.Sprintf("%04X", uint16(c)) }

// Audience says which callers get to see a code.
type Audience int

// Everyone sees the code. Administrators alone see it, others get what
// contract 1.3 puts in its place. Documented codes are for everyone unless the
// operator conceals them (contract 1.7).
const (
	Everyone Audience = iota
	Administrators
	Documented
)

// String returns the audience in words, as the README's code table prints it.
func (a Audience) String() string {
	return [...]string{"everyone", "administrators", "everyone; hidden when concealed"}[a]
}

// Entry is one row of the catalogue.
type Entry struct {
	Code     Code
	Status   int    // HTTP status
	Message  string // what the client reads; NAME stands for the error's detail
	Audience Audience
	When     string // for the documentation
}

// Catalogue lists every code there is, in the order of the documentation.
func Catalogue() []Entry { return append([]Entry(nil), catalogue...) }

var catalogue = []Entry{
	{Forbidden, 403, "Access forbidden", Everyone, "not allowed; 401 where credentials were given and are wrong"},
	{NoSuchService, 404, "Unable to find requested service", Everyone, "no service at this path"},
	{WrongMethod, 400, "Unable to tunnel request through specified HTTP method", Everyone, "wrong HTTP method on a known service"},
	{NotAcceptable, 406, "Unable to produce the requested format", Everyone, "`Accept` names neither XML nor JSON nor a wildcard"},
	{MemberNotFound, 404, "Unable to find matching member.", Everyone, "`GET /members/{member}` names no member"},
	{GroupNotFound, 404, "Unable to find matching group", Everyone, "`GET /groups/{group}/members/{member}`: no such group"},
	{MissingParameter, 400, "Failed @Requires check: missing parameter 'NAME'", Everyone, "a required parameter is missing"},
	{MissingGroup, 400, "Failed @Requires check: missing Group instance", Everyone, "`{group}` names no group"},
	{MissingMember, 400, "Failed @Requires check: missing Member instance", Everyone, "`{member}` names no member on a service that requires one"},
	{TokenRequired, 400, "The token is required.", Everyone, "`GET /members/{member}/activate` without a token"},
	{InvalidUsername, 400, "The username is invalid.", Everyone, "a username with other characters than letters, digits, '_', '.' and '-', or of digits alone"},
	{IdentifierTaken, 400, "The username or email is already in use.", Everyone, "username or email of another member"},
	{IdentifierRequired, 400, "The email address or username is required.", Administrators, "neither email nor username"},
	{InvalidEmail, 400, "The email address is invalid.", Everyone, "`email` is not an address"},
	{DifferentMembers, 400, "The username and email are not from the same member.", Administrators, "email and username name two members"},
	{NoSuchMember, 404, "Unable to find matching member.", Administrators, "no such member"},
	{APIAccount, 400, "The member is an API account.", Documented, "the member is an API account"},
	{AccountLocked, 400, "The account is locked.", Documented, "locked by an administrator, or disabled"},
	{NoEmail, 400, "The member has no email address.", Documented, "no address to send the token to"},
	{AlreadyActivated, 400, "The member is already activated.", Administrators, "`sendactivation` for an activated member"},
	{NotInGroup, 404, "The member does not belong to the group.", Everyone, "`GET /groups/{group}/members/{member}`: no such membership"},
	{InvalidToken, 400, "The reset password token is invalid.", Everyone, "token unknown, expired, used or another member's"},
	{WeakPassword, 400, "The password is too weak.", Everyone, "new password too weak, banned, or 100 characters or longer"},
	{PasswordIsUsername, 400, "The password cannot be equal to the username.", Everyone, "new password equals username or email"},
	{MailFailed, 500, "The email could not be sent.", Everyone, "a mail that the caller waits for could not be sent at once; it stays queued"},
	{Internal, 500, "Internal error", Everyone, "a fault of the server; its log has the details"},
	{TooManyRequests, 429, "Too many requests", Everyone, "over a limit; `Retry-After` says when to come back"},
	{Unavailable, 503, "Service unavailable, please try again", Everyone, "overload or outage; `Retry-After` says when to come back"},
	{RequestTooLarge, 413, "Request too large", Everyone, "body over the limit, see `max-body`"},
	{MalformedRequest, 400, "Malformed request", Everyone, "a request that can't be read: encoding, escapes, content type, too many parameters"},
}

// Lookup returns the catalogue's row for c. A code that is not in the
// catalogue is a defect and gets the row of Internal.
func Lookup(c Code) Entry {
	internal := Entry{Code: Internal, Status: 500, Message: "Internal error"}
	for _, e := range catalogue {
		if e.Code == c {
			return e
		}
	}
	return internal
}

// Error is an error with a place in the catalogue. What the client sees comes
// from the catalogue and Detail alone; Cause is for the log.
type Error struct {
	Code       Code
	Detail     string // the NAME of the catalogue's message
	Text       string // in place of the catalogue's message unless ""
	Status     int    // overrides the catalogue's HTTP status unless 0
	RetryAfter int    // seconds, for 429 and 503; 0: a default
	Cause      error
}

// New returns the error of a code.
func New(c Code) *Error { return &Error{Code: c} }

// Wrap returns the error of a code with what caused it.
func Wrap(c Code, cause error) *Error { return &Error{Code: c, Cause: cause} }

// Missing returns the error of a required parameter that is absent (0201).
func Missing(name string) *Error { return &Error{Code: MissingParameter, Detail: name} }

// BadCredentials returns the error of credentials that were given but are
// wrong: 401 with 0101 (contract 1.5).
func BadCredentials(cause error) *Error {
	return &Error{Code: Forbidden, Status: 401, Cause: cause}
}

// Unauthorized returns the error of a service that needs someone signed in,
// called by nobody (contract 1.2).
func Unauthorized() *Error { return &Error{Code: Forbidden, Text: "Unauthorized access"} }

// Error returns the code, the client's text and the cause, for the log.
func (e *Error) Error() string {
	s := e.Code.String() + " " + e.Message()
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether target is an Error of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Message returns the text for the client.
func (e *Error) Message() string {
	if e.Text != "" {
		return e.Text
	}
	return strings.ReplaceAll(Lookup(e.Code).Message, "NAME", e.Detail)
}

// HTTPStatus returns the status the error is answered with.
func (e *Error) HTTPStatus() int {
	if e.Status != 0 {
		return e.Status
	}
	return Lookup(e.Code).Status
}

// From returns err as a catalogue error: itself if it is (or wraps) one,
// F001 with err as its cause otherwise.
func From(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Wrap(Internal, err)
}
