package mail

import (
	"context"
	"errors"
	"sync"
)

// Server names a mail server of a group's own; the zero value is the program's.
type Server struct {
	URL          string // as [ParseURL] reads it
	PasswordFile string // with the password of the URL's user
	TokenFile    string // with an OAuth 2.0 access token of the URL's user, instead of a password
}

// Router sends each message through the server that it names. What is wrong
// with a group's own server delays that group's mails alone.
type Router struct {
	// Default takes the messages that name no server.
	Default Sender
	// Open returns the sender for a server, when the first message names it.
	Open func(Server) (Sender, error)

	mu      sync.Mutex
	senders map[Server]Sender
}

// Send implements [Sender].
func (r *Router) Send(ctx context.Context, m *Message) error {
	if m.Server == (Server{}) {
		return r.Default.Send(ctx, m)
	}
	s, err := r.sender(m.Server)
	if err != nil {
		return &Error{Class: Temporary, Stage: StageConnect, Text: "the group's mail server: " + err.Error(), cause: err}
	}
	err = s.Send(ctx, m)
	var failure *Error
	if errors.As(err, &failure) && failure.Class == OurFault {
		own := *failure
		own.Class = Temporary // the queue goes on for all others
		return &own
	}
	return err
}

func (r *Router) sender(server Server) (Sender, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.senders[server]; ok {
		return s, nil
	}
	s, err := r.Open(server)
	if err != nil {
		return nil, err
	}
	if r.senders == nil {
		r.senders = map[Server]Sender{}
	}
	r.senders[server] = s
	return s, nil
}
