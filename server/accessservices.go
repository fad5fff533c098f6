package server

import (
	"net/http"

	"github.com/gorilla/mux"
)

// accessServices lists the services of contract 1.4 and 1.5.
func (s *server) accessServices(r *mux.Router) {
	on := func(path string, f service) { r.Handle(path, s.handle(f)).Name(path) }
	on("/members/forceresetpassword", s.only(http.MethodPost, s.forceResetPassword))
	on("/groups/{group}/members/forceresetpassword", s.only(http.MethodPost, s.forceResetPassword))
	on("/members/{member}/unlock", s.only(http.MethodPost, s.unlock))
	on("/members/{member}", s.only(http.MethodGet, s.member))
	on("/self", s.only(http.MethodGet, s.self))
	on("/version", s.only(http.MethodGet, s.version))
	on("/authenticate", s.posted(s.authenticate))
	on("/oauth/token", s.token)
	if s.SitePrefix != "" { // the one service that stands right behind the prefix
		on(s.SitePrefix+"/oauth/token", s.token)
	}
}
