package app

import (
	"io"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Bounds of the log.
const (
	waitingLines = 4096        // that may wait to be written
	logGrace     = time.Second // for the last lines, when the server stops
)

// logLines writes log lines in the background, so that a full disk, a reader
// that is gone or one that stalls never holds up a request. Lines that could not
// be written, or not in time, are counted.
type logLines struct {
	to      io.Writer
	lines   chan []byte
	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once
	lost    atomic.Int64
}

func newLogLines(to io.Writer) *logLines {
	l := &logLines{to: to, lines: make(chan []byte, waitingLines), stop: make(chan struct{}), stopped: make(chan struct{})}
	go l.run()
	return l
}

// Write takes a line; log/slog passes each in one call. It never waits.
func (l *logLines) Write(line []byte) (int, error) {
	select {
	case l.lines <- append([]byte(nil), line...):
	default:
		l.lost.Add(1)
	}
	return len(line), nil
}

// run writes until Close, and then what is left.
func (l *logLines) run() {
	defer close(l.stopped)
	for {
		select {
		case line := <-l.lines:
			l.write(line)
		case <-l.stop:
			l.drain()
			return
		}
	}
}

func (l *logLines) drain() {
	for {
		select {
		case line := <-l.lines:
			l.write(line)
		default:
			return
		}
	}
}

func (l *logLines) write(line []byte) {
	if _, err := l.to.Write(line); err != nil {
		l.lost.Add(1)
	}
}

// Close has the last lines written, if that takes no longer than logGrace: a
// reader that stalls doesn't keep the server from stopping.
func (l *logLines) Close() error {
	l.once.Do(func() { close(l.stop) })
	timer := time.NewTimer(logGrace)
	defer timer.Stop()
	select {
	case <-l.stopped:
	case <-timer.C:
	}
	return nil
}

// outliveReaders keeps the process alive when the reader of its output is gone:
// the signal for that would end it.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }
