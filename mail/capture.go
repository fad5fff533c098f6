package mail

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	captureSuffix = ".eml"
	captureTime   = "20060102T150405.000Z"
	captureWatch  = 16 // mails a watcher may lag behind
)

// Capture keeps each mail as a file instead of sending it. Files sort by the
// time of their order and carry its ID; sending one again writes the same file.
// Folder and files are the owner's alone, since mails hold live links.
type Capture struct {
	folder string

	mu       sync.Mutex
	watchers map[chan Captured]struct{}
}

// Captured is one captured mail.
type Captured struct {
	ID   ID
	Name string    // of the file
	Time time.Time // of the order, in UTC
	Size int64     // bytes
}

var _ Sender = (*Capture)(nil)

// NewCapture makes the folder if it doesn't exist and closes it to others.
func NewCapture(folder string) (*Capture, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make mail folder: %w", err)
	}
	if err := os.Chmod(folder, 0o700); err != nil { //nolint:gosec // a folder needs x
		return nil, fmt.Errorf("close mail folder to others: %w", err)
	}
	return &Capture{folder: folder, watchers: make(map[chan Captured]struct{})}, nil
}

// String says where mails go.
func (c *Capture) String() string { return c.folder }

// Send writes the mail to its file, durably and all at once. A file that can't
// be written is an [Error] of class OurFault.
func (c *Capture) Send(ctx context.Context, m *Message) error {
	raw, err := m.Bytes()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return &Error{Class: Temporary, Stage: StageCapture, Text: "cancelled", cause: err}
	}
	name := captureName(m.ID)
	if err := c.write(name, raw); err != nil {
		return &Error{Class: OurFault, Stage: StageCapture, Text: sanitise(err.Error()), cause: err}
	}
	c.announce(Captured{ID: m.ID, Name: name, Time: m.ID.time(), Size: int64(len(raw))})
	return nil
}

// time returns when the ID was made.
func (id ID) time() time.Time {
	var ms [8]byte
	copy(ms[2:], id[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:]))).UTC()
}

func captureName(id ID) string {
	return id.time().Format(captureTime) + "-" + id.String() + captureSuffix
}

// write goes through a temporary file, so that no reader sees half a mail.
func (c *Capture) write(name string, raw []byte) error {
	f, err := c.newPart()
	if err != nil {
		return err
	}
	err = writeAndSync(f, raw)
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(c.folder, name))
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return syncFolder(c.folder)
}

// newPart makes a temporary file, of mode 0600. The folder may have been removed
// since the start, as test suites do that empty it: it is made again.
func (c *Capture) newPart() (*os.File, error) {
	const pattern = ".part-*"
	f, err := os.CreateTemp(c.folder, pattern)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := os.MkdirAll(c.folder, 0o700); err != nil {
		return nil, err
	}
	return os.CreateTemp(c.folder, pattern)
}

func writeAndSync(f *os.File, raw []byte) error {
	_, err := f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// List returns the captured mails, oldest first, none if the folder has been
// removed. Other files are passed over.
func (c *Capture) List() ([]Captured, error) {
	entries, err := os.ReadDir(c.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list captured mails: %w", err)
	}
	var mails []Captured
	for _, entry := range entries {
		m, ok := parseCaptureName(entry.Name())
		info, err := entry.Info()
		if !ok || err != nil || !info.Mode().IsRegular() {
			continue // not ours, or removed since
		}
		m.Size = info.Size()
		mails = append(mails, m)
	}
	slices.SortFunc(mails, func(a, b Captured) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	return mails, nil
}

func parseCaptureName(name string) (Captured, bool) {
	_, text, _ := strings.Cut(strings.TrimSuffix(name, captureSuffix), "-")
	id, err := ParseID(text)
	if err != nil || captureName(id) != name {
		return Captured{}, false
	}
	return Captured{ID: id, Name: name, Time: id.time()}, true
}

// Read returns the bytes of a captured mail; the error is [fs.ErrNotExist]
// if there is none.
func (c *Capture) Read(id ID) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(c.folder, captureName(id)))
	if err != nil {
		return nil, fmt.Errorf("read captured mail %s: %w", id, err)
	}
	return raw, nil
}

// Remove deletes a captured mail; one that is gone already is no error.
func (c *Capture) Remove(id ID) error {
	err := os.Remove(filepath.Join(c.folder, captureName(id)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove captured mail %s: %w", id, err)
	}
	return nil
}

// Watch returns a channel that gets each mail captured by this process from now
// on, until the context ends, which closes it. A reader that lags far behind
// misses some: List tells all.
func (c *Capture) Watch(ctx context.Context) <-chan Captured {
	watcher := make(chan Captured, captureWatch)
	c.mu.Lock()
	c.watchers[watcher] = struct{}{}
	c.mu.Unlock()
	context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watchers, watcher)
		close(watcher)
	})
	return watcher
}

func (c *Capture) announce(m Captured) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for watcher := range c.watchers {
		select {
		case watcher <- m:
		default:
		}
	}
}
