package request

import (
	"net/http"
	"strconv"

	"github.com/reseed-project/reseed/errcodes"
)

// SetRetryAfter says when to come back, if the error's status asks for it.
func SetRetryAfter(h http.Header, e *errcodes.Error) {
	switch e.HTTPStatus() {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(max(e.RetryAfter, 1)))
	}
}
