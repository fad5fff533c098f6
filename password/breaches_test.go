package password

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestBreachesAreAskedByRange holds that a password from a breach is found and
// that no more than five digits of its SHA-1 leave this machine.
func TestBreachesAreAskedByRange(t *testing.T) {
	var asked []string
	status := http.StatusOK
	// The SHA-1 of "password" is 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8.
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		w.WriteHeader(status)
		fmt.Fprint(w, "003D68EB55068C33ACE09247EE4C639306B:3\r\n1E4C9B93F3F0682250B6CF8331B7EE68FD8:9659365\r\n1D2DA4053E34E76F6576ED1DA63134B5E2A:0\r\n")
	}))
	defer service.Close()
	b := Breaches{URL: service.URL + "/range/"}
	for pw, want := range map[string]bool{"password": true, "password\n": true, "purple Otter 42": false} {
		if got, err := b.Known(t.Context(), pw); err != nil || got != want {
			t.Errorf("Known(%q) = %v, %v, want %v", pw, got, err, want)
		}
	}
	for _, url := range asked {
		if len(url) != len("/range/5BAA6") {
			t.Errorf("the service is asked for %s", url)
		}
	}
	status = http.StatusTooManyRequests
	if got, err := b.Known(t.Context(), "password"); err == nil || got {
		t.Errorf("a service that refuses: %v, %v", got, err)
	}
	service.Close()
	if got, err := b.Known(t.Context(), "password"); err == nil || got || strings.Contains(err.Error(), "5BAA6") {
		t.Errorf("a service that is gone: %v, %v", got, err)
	}
}
