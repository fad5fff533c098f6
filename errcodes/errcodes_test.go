package errcodes

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"
)

// Every code goes over the wire as four upper-case hexadecimal digits, once,
// with a status of its side's fault; codes of our own lie in F000-FFFF
// (contract 1.2).
func TestCatalogue(t *testing.T) {
	wire := regexp.MustCompile(`^[0-9A-F]{4}$`)
	seen := map[Code]bool{}
	documented := map[Code]bool{}
	for _, c := range []Code{0x0000, 0x0101, 0x0102, 0x0103, 0x0104, 0x0106, 0x0107, 0x0201, 0x0202, 0x0204, 0x1001, 0x1002, 0x1004, 0x1008, 0x100E, 0x100F, 0x1010, 0x1015, 0x1016, 0x1018, 0x1019, 0x101A, 0x1022, 0x102A, 0x6001} {
		documented[c] = true
	}
	for _, e := range Catalogue() {
		if !wire.MatchString(e.Code.String()) || seen[e.Code] {
			t.Errorf("%s: malformed or twice", e.Code)
		}
		seen[e.Code] = true
		if !documented[e.Code] && e.Code < 0xF000 {
			t.Errorf("%s is neither documented nor in F000-FFFF", e.Code)
		}
		if e.Status < 400 || e.Status > 599 || e.Status >= 500 && e.Code < 0xF000 && e.Code != MailFailed {
			t.Errorf("%s: status %d", e.Code, e.Status)
		}
		if e.Message == "" || e.When == "" || e.Audience.String() == "" {
			t.Errorf("%s: nothing to read", e.Code)
		}
		delete(documented, e.Code)
	}
	if len(documented) > 0 {
		t.Errorf("missing: %v", documented)
	}
}

func TestFrom(t *testing.T) {
	cause := errors.New("the database is unavailable")
	tests := []struct {
		name    string
		err     error
		code    Code
		status  int
		message string
	}{
		{"itself", New(InvalidToken), InvalidToken, 400, "The reset password token is invalid."},
		{"wrapped", fmt.Errorf("reset: %w", Wrap(Unavailable, cause)), Unavailable, 503, "Service unavailable, please try again"},
		{"with a name", Missing("member-password"), MissingParameter, 400, "Failed @Requires check: missing parameter 'member-password'"},
		{"bad credentials", BadCredentials(cause), Forbidden, 401, "Access forbidden"},
		{"any other", cause, Internal, 500, "Internal error"},
		{"no such code", New(0x0001), 0x0001, 500, "Internal error"},
		{"cancelled", context.Canceled, Internal, 500, "Internal error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := From(tt.err)
			if e.Code != tt.code || e.HTTPStatus() != tt.status || e.Message() != tt.message {
				t.Errorf("got %s %d %q", e.Code, e.HTTPStatus(), e.Message())
			}
			if !errors.Is(e, New(tt.code)) || errors.Is(e, New(0xFFFF)) {
				t.Error("Is goes by something else than the code")
			}
		})
	}
	if !errors.Is(Wrap(Unavailable, cause), cause) {
		t.Error("the cause is lost")
	}
}
