package app

import (
	"context"
	"net"
	"os"
	"strings"
	"time"
)

// States that systemd is told (sd_notify(3)).
const (
	nowReady     = "READY=1"
	nowStopping  = "STOPPING=1"
	nowReloading = "RELOADING=1"
)

// notify tells systemd a state, if it listens: a unit of Type=notify counts as
// started when the server is ready.
func notify(ctx context.Context, state string) error {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return nil
	}
	if strings.HasPrefix(socket, "@") { // an abstract name
		socket = "\x00" + socket[1:]
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "unixgram", socket)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte(state))
	return err
}
