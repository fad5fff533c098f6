package mail

import "context"

// Sender hands one message on. A nil error means that it was taken; any other
// is an [*Error] or counts as temporary. It is safe for concurrent use.
type Sender interface {
	Send(ctx context.Context, m *Message) error
}
