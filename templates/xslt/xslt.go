package xslt

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

const (
	startLimit = 30 * time.Second // of a start, compilation included
	timeLimit  = 5 * time.Second  // of one rendering
	maxOutput  = 512 << 10        // bytes of one rendering
	heap       = 128 << 20        // bytes of the process's Java heap
	// quarantine is how long a stylesheet that ended the process is refused, so
	// that it does not hold up other groups' mails.
	quarantine = time.Minute
)

// Renderer is a resident process. It is started when there is something to
// render, and again after it has died. It may be used by many goroutines at a
// time; they wait for one another.
type Renderer struct {
	setting string
	files   map[string][]byte
	log     *slog.Logger
	now     func() time.Time

	mu      sync.Mutex
	process *process             // nil while there is none
	number  uint32               // of the last rendering
	refused map[string]time.Time // stylesheets in quarantine, until when
	closed  bool
}

// Config is what a Renderer needs.
type Config struct {
	// Setting is [Saxon] or a command line, its words separated by spaces, of a
	// program that speaks this package's frames.
	Setting string
	// Files are the files of the templates folder by their path in it.
	Files map[string][]byte
	Log   *slog.Logger
	Now   func() time.Time
}

// New returns a renderer whose process is not started yet.
func New(c Config) (*Renderer, error) {
	if err := Check(c.Setting); err != nil {
		return nil, fmt.Errorf("xslt: %w", err)
	}
	return &Renderer{setting: c.Setting, files: c.Files, log: c.Log, now: c.Now, refused: map[string]time.Time{}}, nil
}

// Error is a stylesheet's fault: the same document would fail again.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// Transform renders a document with the stylesheet of that path. It returns an
// *[Error] if the stylesheet is at fault, and other errors if the process
// could not be started, died or broke the protocol; the next call starts it anew.
func (r *Renderer) Transform(ctx context.Context, stylesheet string, document []byte) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errors.New("xslt: the renderer is closed")
	}
	if until, ok := r.refused[stylesheet]; ok && r.now().Before(until) {
		return nil, fmt.Errorf("xslt: %s: it ended the renderer, and is tried again in %s", stylesheet, until.Sub(r.now()).Round(time.Second))
	}
	p, err := r.running(ctx)
	if err != nil {
		return nil, err
	}
	r.number++
	out, err := p.transform(ctx, r.number, stylesheet, document)
	var fault *Error
	if err == nil || errors.As(err, &fault) {
		return out, err
	}
	said := p.end()
	r.process = nil
	if ctx.Err() != nil {
		return nil, fmt.Errorf("xslt: %w", ctx.Err())
	}
	r.refused[stylesheet] = r.now().Add(quarantine)
	r.log.Warn("the XSLT renderer has ended; the next mail starts it again", "stylesheet", stylesheet, "err", err, "said", said)
	return nil, fmt.Errorf("xslt: %s: %w%s", stylesheet, err, suffix(said))
}

func suffix(said string) string {
	if said == "" {
		return ""
	}
	return " (" + said + ")"
}

func (r *Renderer) running(ctx context.Context) (*process, error) {
	if r.process != nil && r.process.alive() {
		return r.process, nil
	}
	p, err := r.start(ctx)
	if err != nil {
		return nil, fmt.Errorf("xslt: start the renderer: %w", err)
	}
	r.process = p
	return p, nil
}

// Close ends the process.
func (r *Renderer) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.process != nil {
		r.process.end()
		r.process = nil
	}
	return nil
}

// process is a started renderer.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	frames chan frame // closed when the output ends or is garbage
	fault  error      // why frames was closed
	said   *tail
	exited chan struct{}
}

type frame struct {
	kind    byte
	number  uint32
	payload []byte
}

func (r *Renderer) start(ctx context.Context) (_ *process, err error) {
	cmd, dir, err := r.command()
	if dir != "" {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, frames: make(chan frame, 1), said: &tail{}, exited: make(chan struct{})}
	cmd.Env, cmd.Dir, cmd.Stderr = []string{}, "/", p.said
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go p.read(out)
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := p.prepare(ctx, r.files); err != nil {
		return nil, fmt.Errorf("%w%s", err, suffix(p.end()))
	}
	return p, nil
}

// prepare waits until the process is ready and gives it the files.
func (p *process) prepare(ctx context.Context, files map[string][]byte) error {
	f, err := p.next(ctx)
	if err != nil {
		return err
	}
	if f.kind != 'R' {
		return errors.New("it did not say that it is ready")
	}
	var b bytes.Buffer
	for path, content := range files {
		b.Write(encode('F', 0, path, content))
	}
	return p.write(ctx, b.Bytes())
}

func (p *process) transform(ctx context.Context, number uint32, stylesheet string, document []byte) ([]byte, error) {
	// The process has the same limit, and says so before it ends.
	ctx, cancel := context.WithTimeout(ctx, timeLimit+time.Second)
	defer cancel()
	if err := p.write(ctx, encode('T', number, stylesheet, document)); err != nil {
		return nil, err
	}
	f, err := p.next(ctx)
	switch {
	case err != nil:
		return nil, err
	case f.number != number:
		return nil, errors.New("it answered another rendering than it was asked for")
	case f.kind == 'O':
		return f.payload, nil
	case f.kind == 'E':
		return nil, &Error{string(f.payload)}
	default:
		return nil, errors.New("it broke the protocol")
	}
}

// alive reports whether the process goes on; one that ended between two mails
// is no stylesheet's fault.
func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// write gives up when ctx does: a process that does not read must not stop us.
func (p *process) write(ctx context.Context, b []byte) error {
	done := make(chan error, 1)
	go func() {
		_, err := p.in.Write(b)
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("it no longer reads: %w", err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err() // the process is ended next, and the write with it
	}
}

func (p *process) next(ctx context.Context) (frame, error) {
	select {
	case f, ok := <-p.frames:
		if !ok {
			return f, p.fault
		}
		return f, nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return frame{}, errors.New("it took too long")
		}
		return frame{}, ctx.Err()
	}
}

// read takes frames from the process until it ends or prints anything else.
func (p *process) read(out io.Reader) {
	b := bufio.NewReader(out)
	for {
		f, err := decode(b)
		if err != nil {
			p.fault = err
			close(p.frames)
			break
		}
		p.frames <- f
	}
	_, _ = io.Copy(io.Discard, out) // so that it can end
	_ = p.cmd.Wait()                // how it ended is of no use: all ends are the same
	close(p.exited)
}

// end ends the process and returns the last that it said on standard error.
func (p *process) end() string {
	_ = p.in.Close()
	_ = p.cmd.Process.Kill()
	for range p.frames { // lets read go on
	}
	<-p.exited
	return p.said.String()
}

func encode(kind byte, number uint32, path string, content []byte) []byte {
	b := make([]byte, 9, 10+len(path)+len(content))
	b[0] = kind
	binary.BigEndian.PutUint32(b[1:], number)
	binary.BigEndian.PutUint32(b[5:], uint32(len(path)+1+len(content)))
	b = append(append(b, path...), 0)
	return append(b, content...)
}

func decode(b *bufio.Reader) (frame, error) {
	var head [9]byte
	if _, err := io.ReadFull(b, head[:]); err != nil {
		return frame{}, errors.New("the process has ended")
	}
	f := frame{kind: head[0], number: binary.BigEndian.Uint32(head[1:])}
	length := binary.BigEndian.Uint32(head[5:])
	if !strings.ContainsRune("ROE", rune(f.kind)) || length > maxOutput+1024 {
		return frame{}, errors.New("it printed something that is no frame")
	}
	f.payload = make([]byte, length)
	if _, err := io.ReadFull(b, f.payload); err != nil {
		return frame{}, errors.New("the process has ended within a frame")
	}
	return f, nil
}

// tail keeps the last lines of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const maxTail = 2 << 10 // bytes

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	t.b = t.b[max(len(t.b)-maxTail, 0):]
	return len(b), nil
}

// String leaves out what Java says about itself.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for line := range strings.Lines(string(t.b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "WARNING:") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}
