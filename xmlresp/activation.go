package xmlresp

// MemberCreation answers the register service (contract 1.5).
type MemberCreation struct{ Member MemberDoc }

func (d MemberCreation) element() element {
	return element{name: "member-creation", children: []element{d.Member.element()}}
}

// ActivationSent answers the service that mails an activation link: with the
// address that the mail goes to (contract 1.5).
type ActivationSent struct{ Email string }

func (d ActivationSent) element() element {
	return element{name: "member-activation", attrs: []attr{{name: "email", value: d.Email}}}
}

// MemberActivation answers the services that activate a member (contract 1.5).
type MemberActivation struct {
	Member  MemberDoc
	Already bool // it was done before
}

func (d MemberActivation) element() element {
	e := element{name: "member-activation", children: []element{d.Member.element()}}
	if d.Already {
		e.attrs = []attr{{name: "already-activated", json: "alreadyActivated", value: true}}
	}
	return e
}
