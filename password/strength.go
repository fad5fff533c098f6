package password

import (
	"math"
	"strings"
	"unicode"

	"github.com/ccojocar/zxcvbn-go/match"
	"github.com/ccojocar/zxcvbn-go/scoring"
)

// Score says how hard a password is to guess, in the five steps of zxcvbn.
type Score int

// The scores, by the number of guesses that a password withstands.
const (
	VeryWeak   Score = iota // fewer than 10^6
	Weak                    // at least 10^6
	Medium                  // at least 10^8
	Strong                  // at least 10^10
	VeryStrong              // at least 10^12
)

// scored is how many characters are looked at, since the time to look at one
// grows with their number. What follows can only make a password better.
const scored = 40

// scoreOf maps bits of entropy to a score: on average a password is found
// after half of the guesses.
func scoreOf(bits float64) Score {
	s := VeryWeak
	for _, guesses := range []float64{1e6, 1e8, 1e10, 1e12} {
		if bits-1 >= math.Log2(guesses) {
			s++
		}
	}
	return s
}

// guessBits estimates the entropy of a password, in bits, by the cheapest way
// to put it together from words, names, keyboard runs, dates, repetitions and
// single characters. The given words cost next to nothing.
func guessBits(password string, words []string) float64 {
	if password == "" {
		return 0
	}
	enc := encoder{}
	s := enc.encode(password[:min(len(password), MaxBytes)])
	block := s[:period(s)]
	repeats := float64(len(s)) / float64(len(block))
	block = block[:min(len(block), scored)]
	known := make([]string, 0, len(words))
	for _, w := range words {
		known = append(known, enc.encode(w))
	}
	return matchBits(block, known) + math.Log2(repeats)
}

// matchBits scores a string of one byte a character. The given words cost next
// to nothing.
func matchBits(s string, words []string) float64 {
	lists := append([]map[string]int{ranks(words)}, wordLists()...)
	found := append(patternMatches(s), wordMatches(s, lists)...)
	found = append(found, leetMatches(s, lists)...)
	return scoring.MinimumEntropyMatchSequence(s, found).Entropy
}

// leetMatches finds words written with digits and symbols for letters. Each
// substitution costs a bit.
func leetMatches(s string, lists []map[string]int) []match.Match {
	var found []match.Match
	for _, asL := range []bool{false, true} {
		plain := unleet(s, asL)
		if plain == s {
			continue
		}
		for _, m := range wordMatches(plain, lists) {
			m.Token = s[m.I : m.J+1]
			if n := differences(m.Token, plain[m.I:m.J+1]); n > 0 {
				m.Entropy += float64(n)
				found = append(found, m)
			}
		}
	}
	return found
}

// unleet replaces what is written for letters. Some signs stand for i or t, or
// for l, and are read either way.
func unleet(s string, asL bool) string {
	const signs, letters = "4@8({[<36901!|7$5+%2", "aabcccceggoiiitsstxz"
	b := []byte(s)
	for i, c := range b {
		if asL && strings.IndexByte("1!|7", c) >= 0 {
			b[i] = 'l'
		} else if at := strings.IndexByte(signs, c); at >= 0 {
			b[i] = letters[at]
		}
	}
	return string(b)
}

func differences(a, b string) int {
	n := 0
	for i := range len(a) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// period returns the length of the shortest block that, repeated, gives the
// string; its own length if nothing repeats.
func period(s string) int {
	for p := 1; p <= len(s)/2; p++ {
		if s[p:] == s[:len(s)-p] {
			return p
		}
	}
	return len(s)
}

// encoder writes one byte for each character: the library counts bytes in some
// places and characters in others, and so takes eight times é for a good
// password. Letters outside ASCII become control characters, which it counts
// as symbols.
type encoder map[rune]byte

func (e encoder) encode(s string) string {
	const standIns = "\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r <= unicode.MaxASCII {
			b = append(b, byte(r))
			continue
		}
		r = unicode.ToLower(r)
		if _, known := e[r]; !known {
			e[r] = standIns[len(e)%len(standIns)]
		}
		b = append(b, e[r])
	}
	return string(b)
}
