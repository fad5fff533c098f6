package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Interrupted at the prompt for a password, a command ends at once, and the
// terminal shows again what is typed.
func TestInterruptedPromptRestoresTheTerminal(t *testing.T) {
	fd := openTerminal(t)
	ctx, interrupt := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := prompt(ctx, io.Discard, fd)
		done <- err
	}()
	for deadline := time.Now().Add(10 * time.Second); echoes(t, fd); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the prompt leaves the echo on")
		}
	}
	interrupt()
	select {
	case err := <-done:
		if err == nil || !echoes(t, fd) {
			t.Errorf("err = %v, echo %v", err, echoes(t, fd))
		}
	case <-time.After(10 * time.Second):
		t.Error("the prompt goes on")
	}
}

// openTerminal returns the descriptor of a terminal at which nobody types.
func openTerminal(t *testing.T) int {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(fmt.Sprintf("/dev/pts/%d", n), unix.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

func echoes(t *testing.T, fd int) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}
