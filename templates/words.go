package templates

import (
	"fmt"
	"strings"
	"time"

	"github.com/reseed-project/reseed/fold"
)

// vocabulary is what durations and dates need of a language.
type vocabulary struct {
	day, hour, minute [2]string // singular, plural
	date              string    // of day, month, year, time
	months            string    // twelve words
	doNotReply        string    // after the sender's name
}

func vocabularyOf(language string) (vocabulary, bool) {
	base, _, _ := strings.Cut(fold.ASCII(language), "-")
	switch base {
	case "", "en":
		return vocabulary{
			[2]string{"day", "days"}, [2]string{"hour", "hours"}, [2]string{"minute", "minutes"},
			"%d %s %d, %s",
			"January February March April May June July August September October November December",
			"(do not reply)",
		}, true
	case "de":
		return vocabulary{
			[2]string{"Tag", "Tage"}, [2]string{"Stunde", "Stunden"}, [2]string{"Minute", "Minuten"},
			"%d. %s %d, %s Uhr",
			"Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
			"(bitte nicht antworten)",
		}, true
	case "fr":
		return vocabulary{
			[2]string{"jour", "jours"}, [2]string{"heure", "heures"}, [2]string{"minute", "minutes"},
			"%d %s %d à %s",
			"janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
			"(ne pas répondre)",
		}, true
	case "es":
		return vocabulary{
			[2]string{"día", "días"}, [2]string{"hora", "horas"}, [2]string{"minuto", "minutos"},
			"%d de %s de %d, %s",
			"enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
			"(no responder)",
		}, true
	}
	return vocabulary{}, false
}

// durationWords says a duration in words, in whole minutes and never less
// than one. Languages it does not know get the unit symbols d, h and min.
func durationWords(d time.Duration, language string) string {
	v, known := vocabularyOf(language)
	if !known {
		v = vocabulary{day: [2]string{"d", "d"}, hour: [2]string{"h", "h"}, minute: [2]string{"min", "min"}}
	}
	minutes := max(int64(d/time.Minute), 1)
	hours, minutes := minutes/60, minutes%60
	var days int64
	if hours >= 48 {
		days, hours = hours/24, hours%24
	}
	var parts []string
	parts = appendCount(parts, days, v.day)
	parts = appendCount(parts, hours, v.hour)
	parts = appendCount(parts, minutes, v.minute)
	return strings.Join(parts, " ")
}

func appendCount(parts []string, n int64, unit [2]string) []string {
	switch n {
	case 0:
		return parts
	case 1:
		return append(parts, "1 "+unit[0])
	}
	return append(parts, fmt.Sprintf("%d %s", n, unit[1]))
}

// datetimeWords says an instant in words, to the minute and with the zone's
// short name; "" for the zero time. Languages it does not know get ISO 8601 order.
func datetimeWords(t time.Time, zone *time.Location, language string) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(zone)
	v, known := vocabularyOf(language)
	if !known {
		return t.Format("2006-01-02 15:04 MST")
	}
	month := strings.Fields(v.months)[t.Month()-1]
	return fmt.Sprintf(v.date, t.Day(), month, t.Year(), t.Format("15:04")) + " " + t.Format("MST")
}
