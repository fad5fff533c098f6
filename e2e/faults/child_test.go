package faults

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// child is a process that ends with this one.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// startChild starts cmd from a thread that stays until the child ended, since
// the system kills the child when that thread goes.
func startChild(t testing.TB, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{cmd: cmd, ended: make(chan struct{})}
	dieWithParent(cmd)
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	return c
}

// signal asks the child to do something, unless it ended.
func (c *child) signal(s os.Signal) { _ = c.cmd.Process.Signal(s) }

// kill ends the child as kill -9 does and waits until it is gone.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
}

// gone reports whether the child ended.
func (c *child) gone() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// exitCode is how the child ended; call it after ended.
func (c *child) exitCode() int { return c.cmd.ProcessState.ExitCode() }
