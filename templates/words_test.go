package templates

import (
	"strings"
	"testing"
	"time"
)

func TestDurationWords(t *testing.T) {
	tests := []struct {
		d        time.Duration
		language string
		want     string
	}{
		{12 * time.Hour, "", "12 hours"},
		{time.Hour, "en-GB", "1 hour"},
		{90 * time.Minute, "de", "1 Stunde 30 Minuten"},
		{24 * time.Hour, "fr", "24 heures"},
		{48 * time.Hour, "es", "2 días"},
		{73*time.Hour + time.Minute, "en", "3 days 1 hour 1 minute"},
		{59*time.Minute + 59*time.Second, "en", "59 minutes"},
		{time.Second, "en", "1 minute"},
		{3 * time.Hour, "cy", "3 h"},
	}
	for _, tt := range tests {
		if got := durationWords(tt.d, tt.language); got != tt.want {
			t.Errorf("%v in %q = %q, want %q", tt.d, tt.language, got, tt.want)
		}
	}
}

func TestDatetimeWords(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 30, 59, 0, time.FixedZone("", 3600))
	tests := map[string]string{
		"": "28 February 2026, 23:30 UTC", "de-CH": "28. Februar 2026, 23:30 Uhr UTC",
		"fr": "28 février 2026 à 23:30 UTC", "es": "28 de febrero de 2026, 23:30 UTC", "cy": "2026-02-28 23:30 UTC",
	}
	for language, want := range tests {
		if got := datetimeWords(at, time.UTC, language); got != want {
			t.Errorf("in %q = %q, want %q", language, got, want)
		}
	}
	// Issue 17: it was in UTC, whatever the setting said.
	sydney, err := time.LoadLocation("Australia/Sydney")
	if err != nil {
		t.Fatal(err)
	}
	if got := datetimeWords(at, sydney, "de"); got != "1. März 2026, 10:30 Uhr AEDT" {
		t.Errorf("in Sydney = %q", got)
	}
	if got := datetimeWords(time.Time{}, time.UTC, "en"); got != "" {
		t.Errorf("zero time = %q", got)
	}
	for _, language := range []string{"en", "de", "fr", "es"} {
		if v, _ := vocabularyOf(language); len(strings.Fields(v.months)) != 12 {
			t.Errorf("%s has %d months", language, len(strings.Fields(v.months)))
		}
	}
}
