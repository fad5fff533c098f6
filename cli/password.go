package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// SetPasswordCmd is reseed member set-password.
type SetPasswordCmd struct {
	Member        string `arg:"" help:"Id, username or email."`
	PasswordStdin bool   `help:"Read the password from standard input even if that is a terminal."`
	Notify        bool   `help:"Mail the member a notice of the change."`
}

// Help shows examples.
func (SetPasswordCmd) Help() string {
	return example(
		"reseed member set-password vvega",
		"reseed member set-password vvega --password-stdin --notify < password.txt",
	)
}

// Run sets the password. It is read from the terminal without echo, or from
// standard input, never from the command line.
func (c *SetPasswordCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return withMember(ctx, std, cfg, c.Member, func(d *administration, m members.Member) error {
		pw, err := c.read(ctx, std)
		if err != nil {
			return err
		}
		if err := d.uses.SetPassword(ctx, d.caller, m, pw, c.Notify); err != nil {
			return fmt.Errorf("the password of member %d is refused: %w", m.ID, refusal(err))
		}
		fmt.Fprintf(std.Err, "the password of member %d is set; its sessions and tokens have ended\n", m.ID)
		return nil
	})
}

func (c *SetPasswordCmd) read(ctx context.Context, std *Console) (string, error) {
	if fd, ok := terminal(std.In); ok && !c.PasswordStdin {
		return prompt(ctx, std.Err, fd)
	}
	return readPassword(ctx, std)
}

// readPassword reads a password from standard input.
func readPassword(ctx context.Context, std *Console) (string, error) {
	pw, err := interruptible(ctx, func() (string, error) { return readLine(std.In) })
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return pw, nil
}

// readLine reads one line, without its end. A line too long is refused: a
// password that was cut would surprise.
func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 2*password.MaxBytes)).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if len(line) == 0 {
		return "", errors.New("standard input is empty")
	}
	if len(line) > password.MaxBytes {
		return "", fmt.Errorf("it is longer than %d bytes", password.MaxBytes)
	}
	return string(line), nil
}

// terminal returns the descriptor of a terminal.
func terminal(stream any) (int, bool) {
	file, ok := stream.(*os.File)
	if !ok {
		return 0, false
	}
	fd := int(file.Fd())
	return fd, term.IsTerminal(fd)
}

// prompt asks twice, without echo.
func prompt(ctx context.Context, w io.Writer, fd int) (string, error) {
	var answers [2]string
	for i, question := range []string{"New password: ", "Once more: "} {
		fmt.Fprint(w, question)
		answer, err := readSecret(ctx, fd)
		fmt.Fprintln(w)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		answers[i] = string(answer)
	}
	if answers[0] != answers[1] {
		return "", errors.New("the two passwords differ")
	}
	return answers[0], nil
}

// readSecret reads a line from a terminal without echo. Interrupted, it leaves
// the terminal as it was.
func readSecret(ctx context.Context, fd int) ([]byte, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	secret, err := interruptible(ctx, func() ([]byte, error) { return term.ReadPassword(fd) })
	if ctx.Err() != nil {
		return nil, errors.Join(err, term.Restore(fd, before))
	}
	return secret, err
}

// interruptible returns what a read returns, or an error once ctx ends. Then
// nobody waits for the read any more: nothing but its input or the end of the
// process can end it.
func interruptible[T any](ctx context.Context, read func() (T, error)) (T, error) {
	var v T
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		v, err = read()
	}()
	select {
	case <-done:
		return v, err
	case <-ctx.Done():
		var none T
		return none, errors.New("interrupted")
	}
}
