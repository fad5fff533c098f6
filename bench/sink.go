package main

import (
	"bufio"
	"net"
	"strings"
	"sync/atomic"
)

// sink is a mail server that takes everything and keeps nothing.
type sink struct {
	net.Listener
	mails atomic.Int64
	conns map[net.Conn]bool
}

func startSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{Listener: l, conns: map[net.Conn]bool{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s, nil
}

func (s *sink) addr() string { return s.Addr().String() }
func (s *sink) count() int64 { return s.mails.Load() }

// serve speaks as much SMTP as takes a mail.
func (s *sink) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	say := func(line string) bool { _, err := c.Write([]byte(line + "\r\n")); return err == nil }
	data := false
	for ok := say("220 sink"); ok; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb := strings.ToUpper(strings.TrimRight(line, "\r\n"))
		switch {
		case data && verb != ".":
		case data:
			data = false
			s.mails.Add(1)
			ok = say("250 ok")
		case strings.HasPrefix(verb, "EHLO"):
			ok = say("250-sink\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 SMTPUTF8")
		case verb == "DATA":
			data = true
			ok = say("354 go on")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			ok = say("250 ok")
		}
	}
}
