package templates

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// The grounds that colours must stand out from, as in the pages' style sheet.
const (
	white    = "#ffffff"
	darkCard = "#1e293b"
	// The built-in look, as in its page.toml.
	accent     = "#1d4ed8"
	darkAccent = "#93c5fd"
)

// enough is the contrast that WCAG 2.2 asks of text (1.4.3).
const enough = 4.5

var (
	colour      = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	anyColour   = regexp.MustCompile(`^#(?:[0-9a-fA-F]{3}){1,2}$`)
	placeholder = regexp.MustCompile(`\{[a-z]*\}`)
)

func colourFault(value, ground string) error {
	if value == "" {
		return nil
	}
	if !colour.MatchString(value) {
		return fmt.Errorf("%q: want a colour such as #1d4ed8", value)
	}
	if c := contrast(value, ground); c < enough {
		return fmt.Errorf("%s has a contrast of %.1f:1 against %s, and %.1f:1 is needed to read it", value, c, ground, enough)
	}
	return nil
}

// tint mixes a colour with white until it can be read with ease on a dark ground.
func tint(value, ground string) string {
	const steps, ease = 20, 7
	rgb := channels(value)
	for i := range steps {
		mixed := "#"
		for _, c := range rgb {
			mixed += fmt.Sprintf("%02x", int(c+(255-c)*float64(i)/steps))
		}
		if contrast(mixed, ground) >= ease {
			return mixed
		}
	}
	return white
}

// contrast is the ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b string) float64 {
	high, low := luminance(a), luminance(b)
	if high < low {
		high, low = low, high
	}
	return (high + 0.05) / (low + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(value string) float64 {
	sum := 0.0
	for i, c := range channels(value) {
		c /= 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += c * [3]float64{0.2126, 0.7152, 0.0722}[i]
	}
	return sum
}

func channels(value string) [3]float64 {
	var rgb [3]float64
	for i := range rgb {
		n, _ := strconv.ParseUint(value[1+2*i:3+2*i], 16, 8) // the colour was found valid
		rgb[i] = float64(n)
	}
	return rgb
}
