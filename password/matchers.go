package password

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/ccojocar/zxcvbn-go/adjacency"
	"github.com/ccojocar/zxcvbn-go/data"
	"github.com/ccojocar/zxcvbn-go/entropy"
	"github.com/ccojocar/zxcvbn-go/match"
)

// wordLists returns the library's lists of names, words and passwords: each
// word in lower case with its rank from 1. They take 60 ms to build, most of a
// start, so that is done when the first password is scored. The library's own
// matchers build them in an init function and are not used for that reason.
var wordLists = sync.OnceValue(func() []map[string]int {
	var lists []map[string]int
	for _, name := range []string{"MaleNames", "FemaleNames", "Surnames", "English", "Passwords"} {
		var file struct{ List []string }
		if err := json.Unmarshal(data.MustAsset("data/"+name+".json"), &file); err != nil {
			panic(fmt.Sprintf("password: read the list %s: %v", name, err))
		}
		lists = append(lists, ranks(file.List))
	}
	return lists
})

func ranks(words []string) map[string]int {
	list := make(map[string]int, len(words))
	for i, word := range words {
		list[strings.ToLower(word)] = i + 1
	}
	return list
}

// patternMatches finds what needs no list: keyboard runs, repetitions,
// sequences, years and dates.
func patternMatches(s string) []match.Match {
	var found []match.Match
	for _, name := range []string{"qwerty", "dvorak", "keypad", "macKeypad"} {
		found = append(found, keyboardMatches(s, adjacency.GraphMap[name])...)
	}
	found = append(found, repeatMatches(s)...)
	found = append(found, sequenceMatches(s)...)
	found = append(found, yearMatches(s)...)
	return append(found, dateMatches(s)...)
}

// wordMatches finds every word of the lists, in any case.
func wordMatches(s string, lists []map[string]int) []match.Match {
	var found []match.Match
	lower := strings.ToLower(s)
	for i := range s {
		for j := i; j < len(s); j++ {
			for _, list := range lists {
				if rank, ok := list[lower[i:j+1]]; ok {
					m := match.Match{Pattern: "dictionary", I: i, J: j, Token: s[i : j+1]}
					m.Entropy = entropy.DictionaryEntropy(m, float64(rank))
					found = append(found, m)
				}
			}
		}
	}
	return found
}

// keyboardMatches finds runs of three or more keys that lie side by side.
func keyboardMatches(s string, keys adjacency.Graph) []match.Match {
	var found []match.Match
	for i := 0; i < len(s); {
		j, turns, shifted, last := i+1, 0, 0, -1
		for ; j < len(s); j++ {
			direction, upper := neighbour(keys.Graph[s[j-1:j]], s[j])
			if direction < 0 {
				break
			}
			if direction != last {
				turns++
				last = direction
			}
			if upper {
				shifted++
			}
		}
		if j-i > 2 {
			m := match.Match{Pattern: "spatial", I: i, J: j - 1, Token: s[i:j], DictionaryName: keys.Name}
			m.Entropy = entropy.SpatialEntropy(m, turns, shifted)
			found = append(found, m)
		}
		i = j
	}
	return found
}

// neighbour returns in which direction from a key another one lies, -1 for
// none, and whether it is typed with shift.
func neighbour(around []string, key byte) (direction int, shifted bool) {
	for i, signs := range around {
		if at := strings.IndexByte(signs, key); at >= 0 {
			return i, at == 1
		}
	}
	return -1, false
}

// repeatMatches finds a character three or more times in a row, in any case.
func repeatMatches(s string) []match.Match {
	var found []match.Match
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && strings.EqualFold(s[j:j+1], s[i:i+1]) {
			j++
		}
		if j-i > 2 {
			m := match.Match{Pattern: "repeat", I: i, J: j - 1, Token: s[i:j]}
			m.Entropy = entropy.RepeatEntropy(m)
			found = append(found, m)
		}
		i = j
	}
	return found
}

// sequenceMatches finds three or more neighbours of the alphabet or of the
// digits, up or down.
func sequenceMatches(s string) []match.Match {
	var found []match.Match
	for i := 0; i+1 < len(s); {
		step, j := int(s[i+1])-int(s[i]), i+1
		size := alphabetOf(s[i])
		for j < len(s) && (step == 1 || step == -1) && int(s[j])-int(s[j-1]) == step && size > 0 && alphabetOf(s[j]) == size && isUpper(s[j]) == isUpper(s[i]) {
			j++
		}
		if j-i > 2 {
			m := match.Match{Pattern: "sequence", I: i, J: j - 1, Token: s[i:j]}
			m.Entropy = entropy.SequenceEntropy(m, size, step == 1)
			found = append(found, m)
		}
		i = j
	}
	return found
}

// alphabetOf returns how many letters or digits there are of a character's kind.
func alphabetOf(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return 10
	case isAlphanumeric(c):
		return 26
	}
	return 0
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// yearMatches finds 1900 to 2099.
func yearMatches(s string) []match.Match {
	var found []match.Match
	for i := 0; i+4 <= len(s); i++ {
		y := s[i : i+4]
		if (y[:2] == "19" || y[:2] == "20") && strings.Trim(y, "0123456789") == "" {
			found = append(found, match.Match{Pattern: "year", I: i, J: i + 3, Token: y, Entropy: math.Log2(200)})
		}
	}
	return found
}

// dateForms are the ways to write a date: the year in front or behind, in four
// digits or two, with separators or without.
var dateForms = []*regexp.Regexp{
	regexp.MustCompile(`^(?P<a>\d{1,2})(?P<sep>[\s/\\_.-])(?P<b>\d{1,2})[\s/\\_.-](?P<year>(?:19|20)\d\d|\d\d)`),
	regexp.MustCompile(`^(?P<year>(?:19|20)\d\d|\d\d)(?P<sep>[\s/\\_.-])(?P<a>\d{1,2})[\s/\\_.-](?P<b>\d{1,2})`),
	regexp.MustCompile(`^(?P<a>\d\d)(?P<sep>)(?P<b>\d\d)(?P<year>(?:19|20)\d\d)`),
	regexp.MustCompile(`^(?P<year>(?:19|20)\d\d)(?P<sep>)(?P<a>\d\d)(?P<b>\d\d)`),
	regexp.MustCompile(`^(?P<a>\d\d)(?P<sep>)(?P<b>\d\d)(?P<year>\d\d)`),
	regexp.MustCompile(`^(?P<year>\d\d)(?P<sep>)(?P<a>\d\d)(?P<b>\d\d)`),
}

// dateMatches finds days of the calendar.
func dateMatches(s string) []match.Match {
	var found []match.Match
	for i := range s {
		for _, form := range dateForms {
			parts := form.FindStringSubmatch(s[i:])
			if parts == nil || !isDay(parts[form.SubexpIndex("a")], parts[form.SubexpIndex("b")]) {
				continue
			}
			year, _ := strconv.ParseInt(parts[form.SubexpIndex("year")], 10, 16)
			date := match.DateMatch{Year: year, Separator: parts[form.SubexpIndex("sep")]}
			found = append(found, match.Match{
				Pattern: "date", I: i, J: i + len(parts[0]) - 1, Token: parts[0], Entropy: entropy.DateEntropy(date),
			})
		}
	}
	return found
}

// isDay reports whether two numbers are a day and a month, in either order.
func isDay(a, b string) bool {
	x, _ := strconv.Atoi(a)
	y, _ := strconv.Atoi(b)
	return min(x, y) >= 1 && min(x, y) <= 12 && max(x, y) <= 31
}
