package mail

import (
	"context"
	"errors"
	"testing"
)

type senderFunc func(*Message) error

func (f senderFunc) Send(_ context.Context, m *Message) error { return f(m) }

// A group's own server that is down must not stop the other groups' mails.
func TestRouterKeepsFaultsOfOwnServersApart(t *testing.T) {
	var sent []string
	opened := 0
	r := &Router{
		Default: senderFunc(func(m *Message) error { sent = append(sent, "default "+m.Subject); return nil }),
		Open: func(s Server) (Sender, error) {
			opened++
			if s.URL == "bad" {
				return nil, errors.New("no such file")
			}
			return senderFunc(func(*Message) error {
				return &Error{Class: OurFault, Stage: StageAuth, Code: 535, Text: "no"}
			}), nil
		},
	}
	if err := r.Send(t.Context(), &Message{Subject: "a"}); err != nil || len(sent) != 1 {
		t.Errorf("without a server: %v, %q", err, sent)
	}
	for _, url := range []string{"own", "own", "bad"} {
		var failure *Error
		err := r.Send(t.Context(), &Message{Server: Server{URL: url}})
		if !errors.As(err, &failure) || failure.Class != Temporary {
			t.Errorf("through %s: %v", url, err)
		}
	}
	if opened != 2 {
		t.Errorf("opened %d senders, want one a server", opened)
	}
}
