package xslt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

// The tests run themselves as a renderer that misbehaves: the last word of its
// command line says how.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "misbehave" {
		misbehave(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

func misbehave(how string) {
	answer := func(kind byte, number uint32, text string) {
		b := encode(kind, number, "", []byte(text))
		b = append(b[:9:9], b[10:]...) // a frame from the process has no path
		b[8]--
		_, _ = os.Stdout.Write(b)
	}
	if how == "never-ready" {
		_, _ = os.Stdout.WriteString("Picked up some options\n")
		return
	}
	answer('R', 0, "")
	buffer := make([]byte, 1<<16)
	for number := uint32(1); ; number++ {
		read, err := os.Stdin.Read(buffer)
		if err != nil {
			return
		}
		switch how {
		case "dies":
			_, _ = os.Stderr.WriteString("out of memory\n")
			os.Exit(3)
		case "prints":
			_, _ = os.Stdout.WriteString("debug: rendering\n")
		case "huge":
			_, _ = os.Stdout.Write([]byte{'O', 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff})
		case "half":
			_, _ = os.Stdout.Write([]byte{'O', 0, 0, 0, 1, 0, 0, 0, 9, 'x'})
			os.Exit(0)
		case "hangs": // on x.xsl, in the middle of a frame
			if bytes.Contains(buffer[:read], []byte("x.xsl\x00")) {
				_, _ = os.Stdout.Write([]byte{'O', 0, 0, 0, 1, 0, 0, 0, 9, 'x'})
				_, _ = os.Stdin.Read(buffer) // there is no more, until it is closed
				return
			}
			answer('O', binary.BigEndian.Uint32(buffer[1:]), "rendered")
		case "another":
			answer('O', 77, "another's mail")
		case "well":
			answer('O', number, "rendered")
		case "refuses":
			answer('E', number, "x.xsl:3: no such function")
		}
	}
}

func newTestRenderer(t *testing.T, how string) (*Renderer, *time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	r, err := New(Config{
		Setting: os.Args[0] + " misbehave " + how, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, &now
}

func TestRendererThatMisbehaves(t *testing.T) {
	for how, want := range map[string]string{
		"never-ready": "no frame",
		"dies":        "the process has ended (out of memory)",
		"prints":      "no frame",
		"huge":        "no frame",
		"half":        "ended within a frame",
		"another":     "another rendering",
	} {
		r, now := newTestRenderer(t, how)
		_, err := r.Transform(t.Context(), "x.xsl", []byte("<x/>"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", how, err, want)
		}
		if how == "never-ready" {
			continue
		}
		if _, err := r.Transform(t.Context(), "x.xsl", []byte("<x/>")); err == nil || !strings.Contains(err.Error(), "tried again in 1m0s") {
			t.Errorf("%s, at once: %v", how, err)
		}
		*now = now.Add(quarantine)
		if _, err := r.Transform(t.Context(), "x.xsl", []byte("<x/>")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s, after a minute, with a new process: %v", how, err)
		}
	}
}

// A process that stops in the middle of an answer is ended when the time is up, and
// the mails of other stylesheets go on at once with a new one.
func TestRendererThatHangsWithinAFrameIsCutOff(t *testing.T) {
	t.Parallel()
	r, _ := newTestRenderer(t, "hangs")
	if _, err := r.Transform(t.Context(), "x.xsl", []byte("<x/>")); err == nil || !strings.Contains(err.Error(), "x.xsl: it took too long") {
		t.Errorf("the one that hangs: %v", err)
	}
	if out, err := r.Transform(t.Context(), "y.xsl", []byte("<x/>")); err != nil || string(out) != "rendered" {
		t.Errorf("another: %q, %v", out, err)
	}
	if _, err := r.Transform(t.Context(), "x.xsl", []byte("<x/>")); err == nil || !strings.Contains(err.Error(), "tried again in") {
		t.Errorf("the one that hangs, at once: %v", err)
	}
}

func TestRendererStaysAndRefuses(t *testing.T) {
	r, _ := newTestRenderer(t, "well")
	for range 3 {
		out, err := r.Transform(t.Context(), "x.xsl", []byte("<x/>"))
		if err != nil || string(out) != "rendered" {
			t.Fatalf("%q, %v", out, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Transform(t.Context(), "x.xsl", nil); err == nil {
		t.Error("a closed renderer renders")
	}
	r, _ = newTestRenderer(t, "refuses")
	var fault *Error
	for range 2 {
		if _, err := r.Transform(t.Context(), "x.xsl", nil); !errors.As(err, &fault) || fault.Text != "x.xsl:3: no such function" {
			t.Errorf("%v", err)
		}
	}
}

// A process that is killed between two mails costs no mail.
func TestRendererIsReplacedWhenKilled(t *testing.T) {
	r, _ := newTestRenderer(t, "well")
	for range 3 {
		if out, err := r.Transform(t.Context(), "x.xsl", nil); err != nil || string(out) != "rendered" {
			t.Fatalf("%q, %v", out, err)
		}
		if err := r.process.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-r.process.exited
		r.number = 0 // as the new process counts
	}
}

func TestCheckSaysWhatToInstall(t *testing.T) {
	if err := Check("no-such-renderer --x"); err == nil || !strings.Contains(err.Error(), "libsaxonhe-java") {
		t.Errorf("%v", err)
	}
	if Check("") == nil {
		t.Error("nothing is a renderer")
	}
}
