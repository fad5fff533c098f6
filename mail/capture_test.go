package mail

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newCapture(t *testing.T) *Capture {
	t.Helper()
	c, err := NewCapture(filepath.Join(t.TempDir(), "data", "mail"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCapture(t *testing.T) {
	c := newCapture(t)
	m := testMessage(t)
	for range 2 {
		if err := c.Send(context.Background(), m); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(c.folder)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v: want one file, no leavings", files, err)
	}
	name := "20261122T101500.123Z-" + m.ID.String() + ".eml"
	want := []Captured{{ID: m.ID, Name: name, Time: time.Date(2026, 11, 22, 10, 15, 0, 123e6, time.UTC), Size: int64(len(raw))}}
	got, err := c.List()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if read, err := c.Read(m.ID); err != nil || !bytes.Equal(read, raw) {
		t.Errorf("%v, %q", err, read)
	}
	for path, mode := range map[string]fs.FileMode{c.folder: 0o700, filepath.Join(c.folder, name): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, err, info.Mode())
		}
	}
	for range 2 {
		if err := c.Remove(m.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Read(m.ID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read after remove: %v", err)
	}
}

// Test suites delete the folder to begin anew, while the server runs.
func TestCaptureMakesARemovedFolderAgain(t *testing.T) {
	c := newCapture(t)
	m := testMessage(t)
	for range 2 {
		if err := os.RemoveAll(filepath.Dir(c.folder)); err != nil {
			t.Fatal(err)
		}
		if got, err := c.List(); err != nil || len(got) != 0 {
			t.Errorf("list of a removed folder: %v, %v", got, err)
		}
		if err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if got, err := c.List(); err != nil || len(got) != 1 {
			t.Errorf("list after a mail: %v, %v", got, err)
		}
	}
	if info, err := os.Stat(c.folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", err, info.Mode())
	}
}

func TestCaptureClosesAnOpenFolder(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := NewCapture(folder); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", err, info.Mode())
	}
}

func TestCaptureListsOldestFirstAndItsOwnAlone(t *testing.T) {
	c := newCapture(t)
	for _, name := range []string{".part-1", "notes.txt", "20261122T101500.123Z-zz.eml", "x-" + testID(t, 1).String() + ".eml"} {
		if err := os.WriteFile(filepath.Join(c.folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var want []ID
	for n, minute := range []int{5, 1, 3} {
		m := testMessage(t)
		id, err := NewID(time.Date(2026, 11, 22, 10, minute, 0, 0, time.UTC), bytes.NewReader(bytes.Repeat([]byte{byte(n)}, 10)))
		if err != nil {
			t.Fatal(err)
		}
		m.ID = id
		if err := c.Send(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		want = append(want, id)
	}
	want[0], want[1], want[2] = want[1], want[2], want[0]
	list, err := c.List()
	if err != nil {
		t.Fatal(err)
	}
	var got []ID
	for _, m := range list {
		got = append(got, m.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCaptureFailures(t *testing.T) {
	c := newCapture(t)
	m := testMessage(t)
	m.To.Address = "nobody"
	var e *Error
	if err := c.Send(context.Background(), m); !errors.As(err, &e) || e.Class != Permanent {
		t.Errorf("poison: %v", err)
	}
	if files, err := os.ReadDir(c.folder); err != nil || len(files) != 0 {
		t.Errorf("poison left %v, %v", files, err)
	}
	if err := os.Remove(c.folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(context.Background(), testMessage(t)); !errors.As(err, &e) || e.Class != OurFault {
		t.Errorf("a file for a folder: %v", err)
	}
	if _, err := c.List(); err == nil {
		t.Error("a file lists mails")
	}
}

func TestCaptureWatch(t *testing.T) {
	c := newCapture(t)
	ctx, cancel := context.WithCancel(context.Background())
	mails := c.Watch(ctx)
	for range captureWatch + 3 { // a reader that lags holds nobody up
		if err := c.Send(context.Background(), testMessage(t)); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-mails; got.ID != testMessage(t).ID {
		t.Errorf("got %v", got)
	}
	cancel()
	for range mails { // ends, since the channel is closed
	}
	if err := c.Send(context.Background(), testMessage(t)); err != nil {
		t.Error(err)
	}
}
