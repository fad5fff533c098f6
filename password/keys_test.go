package password

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func line(key []byte) string { return base64.StdEncoding.EncodeToString(key) + "\n" }

// sameKeys compares what the keys hold; cmp would show it.
func sameKeys(a, b Keys) bool {
	return string(a.Current) == string(b.Current) && string(a.Previous) == string(b.Previous)
}

func TestParseKeys(t *testing.T) {
	a, b := testKey(1), testKey(2)
	long := append(testKey(3), 4, 5)
	for text, want := range map[string]Keys{
		line(a):                       {Current: a},
		line(a) + line(b):             {Current: a, Previous: b},
		strings.TrimSpace(line(long)): {Current: long},
		"# keys\r\n\r\n" + line(a) + "\t" + line(b) + "\n": {Current: a, Previous: b},
		Keys{Current: a, Previous: b}.text():               {Current: a, Previous: b},
		Keys{Current: a}.text():                            {Current: a},
	} {
		got, err := ParseKeys(text)
		if err != nil || !sameKeys(got, want) {
			t.Errorf("%q gives other keys: %v", text, err)
		}
	}
	for _, text := range badKeyTexts() {
		if _, err := ParseKeys(text); err == nil {
			t.Errorf("ParseKeys(%q) succeeded", text)
		} else if len(text) > 40 && strings.Contains(err.Error(), text[:20]) {
			t.Errorf("the error shows a key: %v", err)
		}
	}
}

func badKeyTexts() []string {
	good := line(testKey(1))
	return []string{
		"", "\n", "# only a comment\n", "not base64!\n" + good, good + "not base64!\n",
		line(testKey(1)[:31]), good + line(testKey(2)[:31]), good + good + good,
		strings.TrimRight(good, "=\n"), strings.Repeat("z", 43) + "=",
	}
}

func TestNewKey(t *testing.T) {
	a, errA := NewKey(rand.Reader)
	b, errB := NewKey(rand.Reader)
	if errA != nil || errB != nil || string(a) == string(b) {
		t.Errorf("two new keys: %v, %v", errA, errB)
	}
	if err := (Keys{Current: a}).Validate(); err != nil {
		t.Error(err)
	}
	if key, err := NewKey(strings.NewReader("too little")); err == nil || key != nil {
		t.Error("a key was made of too little")
	}
}

// A key file that others may read or write, or that holds no good key, is
// refused (LOG-7, LOG-8).
func TestReadKeyFileRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(text string, mode fs.FileMode) string {
		path := filepath.Join(dir, "keys")
		if err := errors.Join(os.RemoveAll(path), os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := line(testKey(1))
	for _, mode := range []fs.FileMode{0o600, 0o400, 0o440, 0o640} {
		if _, err := ReadKeyFile(write(good, mode)); err != nil {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	for _, mode := range []fs.FileMode{0o620, 0o604, 0o602, 0o644, 0o444, 0o660, 0o666} {
		if _, err := ReadKeyFile(write(good, mode)); err == nil {
			t.Errorf("mode %o is accepted", mode)
		}
		if _, err := LoadOrCreateKeyFile(write(good, mode), rand.Reader); err == nil {
			t.Errorf("mode %o is accepted when the service starts", mode)
		}
	}
	for _, text := range badKeyTexts() {
		if _, err := LoadOrCreateKeyFile(write(text, 0o600), rand.Reader); err == nil {
			t.Errorf("a file of %q is accepted", text)
		}
	}
	if _, err := ReadKeyFile(dir); err == nil {
		t.Error("a directory is accepted")
	}
	if _, err := ReadKeyFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestLoadOrCreateKeyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	if _, err := LoadOrCreateKeyFile(path, iotest.ErrReader(errors.New("dry"))); err == nil {
		t.Error("a key was made of nothing")
	}
	made, err := LoadOrCreateKeyFile(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadOrCreateKeyFile(path, iotest.ErrReader(errors.New("not needed")))
	if err != nil || !sameKeys(made, again) {
		t.Errorf("the second start has other keys: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if diff := cmp.Diff([]string{"keys"}, names(t, dir)); diff != "" {
		t.Errorf("files left behind: %s", diff)
	}
	if _, err := LoadOrCreateKeyFile(filepath.Join(dir, "none", "keys"), rand.Reader); err == nil {
		t.Error("a key file was made in no directory")
	}
}

// TestStartersAgreeOnOneKey has each of them believe that there is no file yet.
func TestStartersAgreeOnOneKey(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		path := filepath.Join(dir, "keys")
		const starters = 8
		var wg sync.WaitGroup
		begin, got := make(chan struct{}), make([]Keys, starters)
		for i := range starters {
			wg.Go(func() {
				<-begin
				var err error
				if got[i], err = LoadOrCreateKeyFile(path, rand.Reader); err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		wg.Wait()
		for _, k := range got {
			if !sameKeys(k, got[0]) {
				t.Fatal("two starters have different keys")
			}
		}
	}
}

func TestCreateKeepsTheFirstKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	first, second := Keys{Current: testKey(1)}, Keys{Current: testKey(2)}
	if err := errors.Join(createKeyFile(path, first.text()), createKeyFile(path, second.text())); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadKeyFile(path); err != nil || !sameKeys(got, first) {
		t.Errorf("the second starter replaced the key: %v", err)
	}
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
