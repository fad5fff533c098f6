package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/reseed-project/reseed/config"
)

// HealthCmd is reseed health.
type HealthCmd struct {
	Timeout time.Duration `default:"2s" help:"How long to wait for the answer."`
}

// Help shows examples.
func (HealthCmd) Help() string {
	return example("reseed health", "reseed health --listen :8080 --timeout 1s")
}

// Run asks the server that listens on this machine's LISTEN for /readyz, prints
// the answer, and fails unless it is ready.
func (c *HealthCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	host, client := reachable(cfg.Listen), http.DefaultClient
	if path := cfg.UnixSocket(); path != "" {
		host, client = "localhost", &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}}}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	fmt.Fprintln(std.Out, strings.TrimSpace(string(body)))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", resp.Status)
	}
	return nil
}

// reachable returns an address to connect to for one to listen on.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
