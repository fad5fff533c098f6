package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// httpClient posts forms over one connection. net/http's client would take more
// CPU than the server that is measured.
type httpClient struct {
	conn   net.Conn
	in     *bufio.Reader
	target string // path and query
	host   string
	body   func(n int64) string
	buf    bytes.Buffer
}

func dial(ctx context.Context, address string, body func(int64) string) (*httpClient, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	return &httpClient{conn: conn, in: bufio.NewReader(conn), target: u.RequestURI(), host: u.Host, body: body}, nil
}

// peer makes clients of another server.
func peer(address, body string) func(context.Context) (worker, error) {
	return func(ctx context.Context) (worker, error) {
		return dial(ctx, address, func(int64) string { return body })
	}
}

func (c *httpClient) do(_ context.Context, n int64) error {
	body := c.body(n)
	c.buf.Reset()
	fmt.Fprintf(&c.buf, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		c.target, c.host, len(body), body)
	if err := c.conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	if _, err := c.conn.Write(c.buf.Bytes()); err != nil {
		return err
	}
	status, err := c.answer()
	if err == nil && status/100 != 2 {
		err = errors.New("answered " + strconv.Itoa(status))
	}
	return err
}

// answer reads an answer with a Content-Length.
func (c *httpClient) answer() (status int, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		if first && len(text) > 12 {
			status, _ = strconv.Atoi(text[9:12])
		}
		if name, value, ok := strings.Cut(text, ": "); ok && strings.EqualFold(name, "Content-Length") {
			length, _ = strconv.Atoi(value)
		}
		if text == "" {
			break
		}
	}
	_, err = io.CopyN(io.Discard, c.in, int64(length))
	return status, err
}

// Close closes the connection.
func (c *httpClient) Close() error { return c.conn.Close() }
