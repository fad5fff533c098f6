package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/reseed-project/reseed/config"
)

// Listen opens the configured address or socket, or takes the one that systemd
// passes, and tells the configuration which address it is.
func Listen(ctx context.Context, cfg *config.Config) (net.Listener, error) {
	l, err := listen(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if l.Addr().Network() == "unix" {
		return socketListener{l}, nil
	}
	cfg.Listening(l.Addr().String())
	return l, nil
}

func listen(ctx context.Context, cfg *config.Config) (net.Listener, error) {
	if l, err := passedListener(os.Getenv); l != nil || err != nil {
		return l, err
	}
	path := cfg.UnixSocket()
	if path == "" {
		return (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	}
	if err := removeStaleSocket(ctx, path); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil { //nolint:gosec // the proxy's user is in its group
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// firstPassed is the first file descriptor that systemd passes (sd_listen_fds(3)).
const firstPassed = 3

// passedListener returns the socket that systemd passed to this process, nil if
// there is none.
func passedListener(getenv func(string) string) (net.Listener, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	if n := getenv("LISTEN_FDS"); n != "1" {
		return nil, fmt.Errorf("systemd passes %s sockets, want one", n)
	}
	syscall.CloseOnExec(firstPassed)
	f := os.NewFile(firstPassed, "systemd's socket")
	defer f.Close()
	return net.FileListener(f)
}

// removeStaleSocket removes what a server left behind that did not stop in
// order. A socket that answers stays.
func removeStaleSocket(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return nil // listening says what is wrong, if anything
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("another server listens on %s", path), c.Close())
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return os.Remove(path)
	}
	return nil
}

// socketListener gives the peers of a Unix socket this machine's address, so
// that a proxy behind it is trusted if trusted-proxies has 127.0.0.1.
type socketListener struct{ net.Listener }

// Accept waits for a connection.
func (l socketListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return socketConn{c}, nil
}

type socketConn struct{ net.Conn }

// RemoteAddr returns this machine's address.
func (socketConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
