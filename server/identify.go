package server

import (
	"errors"
	"net/http"
	"unicode/utf8"

	"reseed/errcodes"
	"reseed/members"
)

var errCredentials = errors.New("unreadable credentials")

// identify finds out who is calling: anybody without credentials, a member
// with good ones. Credentials that are given but wrong are 401 with 0101,
// never "anybody" (contract 1.5).
func (s *server) identify(r *http.Request) (members.Caller, error) {
	given := r.Header.Values("Authorization")
	if len(given) == 0 {
		return members.Caller{}, nil
	}
	name, password, ok := r.BasicAuth()
	if len(given) > 1 || !ok || !utf8.ValidString(name) || hasControls(name) {
		return members.Caller{}, errcodes.BadCredentials(errCredentials)
	}
	m, err := s.Members.SignIn(r.Context(), name, password)
	if err != nil {
		return members.Caller{}, err
	}
	return members.Caller{Member: m}, nil
}
