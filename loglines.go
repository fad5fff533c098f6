package main

import (
	"io"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// logLines counts the lines that could not be written: where the disk is full or
// nobody reads any more, the server goes on without its log.
type logLines struct {
	to   io.Writer
	lost atomic.Int64
}

// Write writes a line, which log/slog gives in one piece.
func (l *logLines) Write(line []byte) (int, error) {
	n, err := l.to.Write(line)
	if err != nil {
		l.lost.Add(1)
	}
	return n, err
}

// outliveReaders keeps the process alive when whoever reads its output is gone,
// which ends other programs by a signal.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }
