package xmlresp

// The statuses of a reset (contract 1.2).
const (
	RequestSuccessful = "request-successful"
	PasswordChanged   = "password-changed"
	Pending           = "pending" // version 5 only
)

// ResetPassword answers both steps of a reset (contract 1.2).
type ResetPassword struct {
	Status string
	Admin  bool // with Pending, for an administrator
}

func (r ResetPassword) element() element {
	e := element{name: "reset-password", attrs: []attr{{name: "status", value: r.Status}}}
	if r.Admin {
		e.attrs = append(e.attrs, attr{name: "admin", value: true})
	}
	return e
}
