package testserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/wait"
)

// Kinds of faults.
const (
	FaultUnavailable = "unavailable" // 503 with Retry-After, as an overloaded server answers
	FaultTooMany     = "too-many"    // 429 with Retry-After, as the limits answer
	FaultDelay       = "delay"       // the right answer, late
	FaultCut         = "cut"         // the connection ends without an answer
	FaultMalformed   = "malformed"   // the right answer with half of its body
	FaultRefuse      = "smtp-refuse" // the mail server refuses: mails fail for good
	FaultStall       = "smtp-stall"  // the mail server does not answer: mails are tried again
)

// Fault is what goes wrong, for the next Count requests whose path ends in
// Service, or for the next Count mails.
type Fault struct {
	Kind string `json:"kind"`
	// Service is the end of a path without its extension, such as
	// /members/resetpassword; "" means any request outside /dev.
	Service string `json:"service,omitempty"`
	Count   int    `json:"count"`           // 0: 1
	Delay   string `json:"delay,omitempty"` // of the kind delay, such as 2s
}

func (f Fault) smtp() bool { return f.Kind == FaultRefuse || f.Kind == FaultStall }

// check fills in defaults and returns what is wrong.
func (f *Fault) check() error {
	if f.Count == 0 {
		f.Count = 1
	}
	known := []string{FaultUnavailable, FaultTooMany, FaultDelay, FaultCut, FaultMalformed, FaultRefuse, FaultStall}
	if !slices.Contains(known, f.Kind) {
		return fmt.Errorf("kind %q: want one of %s", f.Kind, strings.Join(known, ", "))
	}
	if f.Count < 0 || f.smtp() && f.Service != "" {
		return errors.New("count must be positive, and service is for requests only")
	}
	if d, err := time.ParseDuration(f.Delay); f.Kind == FaultDelay && (err != nil || d < 0 || d > time.Hour) {
		return fmt.Errorf("delay %q: want a duration up to 1h, such as 2s", f.Delay)
	}
	return nil
}

func (f Fault) matches(path string) bool {
	path, _, _ = strings.Cut(path, ";")
	path = strings.TrimSuffix(strings.TrimSuffix(path, ".xml"), ".json")
	return !f.smtp() && strings.HasSuffix(path, f.Service)
}

// faults are those still to come, in order.
type faults struct {
	mu   sync.Mutex
	list []Fault
}

func (f *faults) add(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, fault)
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
}

// take counts down the first fault that fits and returns it.
func (f *faults) take(fits func(Fault) bool) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.list, fits)
	if i < 0 {
		return Fault{}, false
	}
	found := f.list[i]
	if f.list[i].Count--; f.list[i].Count == 0 {
		f.list = slices.Delete(f.list, i, i+1)
	}
	return found, true
}

// faultKey is where a request's context has the error to answer with.
type faultKey struct{}

// requestFault returns the error to answer a request with, if any.
func requestFault(r *http.Request) error {
	err, _ := r.Context().Value(faultKey{}).(error)
	return err
}

// apply answers a request with a fault.
func (f Fault) apply(w http.ResponseWriter, r *http.Request, next http.Handler) {
	switch f.Kind {
	case FaultUnavailable:
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), faultKey{}, errcodes.New(errcodes.Unavailable))))
	case FaultTooMany:
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), faultKey{}, errcodes.New(errcodes.TooManyRequests))))
	case FaultDelay:
		d, _ := time.ParseDuration(f.Delay) // checked
		_ = wait.For(r.Context(), d)
		next.ServeHTTP(w, r)
	case FaultCut:
		panic(http.ErrAbortHandler)
	case FaultMalformed:
		half := &halfWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(half, r)
		half.finish()
	}
}

// halfWriter keeps an answer and sends half of its body, with a length that
// fits: the answer is complete as HTTP and broken as a document.
type halfWriter struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader keeps the status.
func (h *halfWriter) WriteHeader(status int) { h.status = status }

// Write keeps a piece of the body.
func (h *halfWriter) Write(p []byte) (int, error) { return h.body.Write(p) }

func (h *halfWriter) finish() {
	body := h.body.Bytes()[:h.body.Len()/2]
	h.Header().Set("Content-Length", strconv.Itoa(len(body)))
	h.ResponseWriter.WriteHeader(h.status)
	_, _ = h.ResponseWriter.Write(body) // the client is gone
}

// faultySender fails mails as the faults say.
type faultySender struct {
	mail.Sender
	faults *faults
}

// Send fails or sends.
func (s faultySender) Send(ctx context.Context, m *mail.Message) error {
	fault, ok := s.faults.take(Fault.smtp)
	if !ok {
		return s.Sender.Send(ctx, m)
	}
	if fault.Kind == FaultRefuse {
		return &mail.Error{Class: mail.Permanent, Stage: mail.StageRcpt, Code: 550, Text: "5.1.1 no such mailbox, as the test asked for"}
	}
	return &mail.Error{Class: mail.Temporary, Stage: mail.StageDot, Text: "timed out, as the test asked for"}
}
