package templates

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
)

// Library is the templates folder as it was last read without a fault: mails
// and pages together. It may be used by many goroutines at a time.
type Library struct {
	fsys fs.FS // nil for the defaults alone
	opts Options

	reloading sync.Mutex
	current   atomic.Pointer[edition]
}

// edition is what one reading of the folder gave.
type edition struct {
	mails *Set
	pages *Pages
}

// NewLibrary reads the folder; see [Load] and [LoadPages] for what it refuses.
func NewLibrary(fsys fs.FS, opts Options) (*Library, error) {
	l := &Library{fsys: fsys, opts: opts}
	e, err := l.read()
	if err != nil {
		return nil, err
	}
	l.current.Store(e)
	return l, nil
}

func (l *Library) read() (*edition, error) {
	pages, pagesErr := LoadPages(l.fsys, l.opts)
	mails, err := Load(l.fsys, l.opts)
	if err := errors.Join(err, pagesErr); err != nil {
		if mails != nil {
			err = errors.Join(err, mails.Close())
		}
		return nil, err
	}
	mails.pages = pages
	return &edition{mails, pages}, nil
}

// Reload reads the folder again. If anything is wrong with it, what was read
// before goes on serving, and the error names every fault.
func (l *Library) Reload() error {
	l.reloading.Lock()
	defer l.reloading.Unlock()
	e, err := l.read()
	if err != nil {
		return err
	}
	return l.current.Swap(e).mails.Close()
}

// Close ends the renderer of stylesheets, if there is one.
func (l *Library) Close() error { return l.current.Load().mails.Close() }

// Mails returns the mail templates.
func (l *Library) Mails() *Set { return l.current.Load().mails }

// Pages returns what the pages look like.
func (l *Library) Pages() *Pages { return l.current.Load().pages }

// Render renders a notification as [Set.Render] does.
func (l *Library) Render(ctx context.Context, chain []string, n Notification) (Rendered, error) {
	return l.Mails().Render(ctx, chain, n)
}

// OwnSettings returns what the settings of a chain of names say, without the
// look that mails take from pages.
func (l *Library) OwnSettings(chain []string) MailSettings { return l.Mails().OwnSettings(chain) }

// Settings returns the settings of a chain of names, as [Set.Settings] does.
func (l *Library) Settings(chain []string) MailSettings { return l.Mails().Settings(chain) }
