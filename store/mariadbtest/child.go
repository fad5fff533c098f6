package mariadbtest

import (
	"os/exec"
	"runtime"
)

// child is a process that ends with this one.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// startChild starts cmd from a thread that stays until the child ended: the
// system kills the child when the thread that started it goes.
func startChild(cmd *exec.Cmd) (*child, error) {
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
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// kill ends the child and waits until it is gone.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // an error says that it ended already
	<-c.ended
}
