// Package request holds what the PageSeeder services, the Wix services and the
// pages share: a request's address, its parameters, where it comes from, and
// the record that is kept while it is answered.
package request

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/netip"
	"time"

	"github.com/gorilla/mux"

	"github.com/reseed-project/reseed/errcodes"
)

// Record is what is kept about a request while it is answered: its body, read at
// the edge, and what its log line says.
type Record struct {
	http.ResponseWriter
	ID       string // of this request, in its answer and in the log
	Client   netip.Addr
	Exempt   bool // from the client's rate limit
	Start    time.Time
	Body     []byte
	BodyErr  error // F005, F006
	Status   int   // 0: not answered yet
	Bytes    int   // of the answer's body
	Route    string
	Err      *errcodes.Error
	Rejected bool // nothing was done for the request

	address Address // zero: not read yet
}

type recordKey struct{}

// WithRecord returns the request with its record.
func WithRecord(r *http.Request, n *Record) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), recordKey{}, n))
}

// RecordOf returns the record of the request that is being answered.
func RecordOf(ctx context.Context) *Record {
	n, _ := ctx.Value(recordKey{}).(*Record)
	return n
}

// Body returns the request's body. Errors: F005, F006.
func Body(ctx context.Context) ([]byte, error) {
	n := RecordOf(ctx)
	return n.Body, n.BodyErr
}

// SetError records the error that a request is answered with.
func SetError(ctx context.Context, e *errcodes.Error) { RecordOf(ctx).Err = e }

// SetRoute records the route's pattern: paths hold addresses and names, and
// don't belong into a log (LOG-2).
func SetRoute(r *http.Request) {
	if route := mux.CurrentRoute(r); route != nil {
		RecordOf(r.Context()).Route, _ = route.GetPathTemplate()
	}
}

// WriteHeader records the status.
func (n *Record) WriteHeader(status int) {
	if n.Status == 0 {
		n.Status = status
	}
	n.ResponseWriter.WriteHeader(status)
}

// Write records the length.
func (n *Record) Write(p []byte) (int, error) {
	if n.Status == 0 {
		n.Status = http.StatusOK
	}
	written, err := n.ResponseWriter.Write(p)
	n.Bytes += written
	return written, err
}

// Unwrap lets http.ResponseController reach the connection.
func (n *Record) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// NewID returns a request id: 16 random hexadecimal digits.
func NewID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
