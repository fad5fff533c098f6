package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

var errJSON = errors.New("the body is no JSON object of strings and booleans")

// Pair is a name of a JSON object with its value as it came. encoding/json
// itself would take other cases of the name, and the last of repeated ones.
type Pair struct {
	Name  string
	Value json.RawMessage
}

// ReadObject splits a JSON object in UTF-8, with or without a byte order mark,
// into at most limit pairs. Nothing may follow the object.
func ReadObject(body []byte, limit int) ([]Pair, bool) {
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	if !utf8.Valid(body) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var pairs []Pair
	for d.More() {
		name, err := d.Token()
		if err != nil || len(pairs) == limit {
			return nil, false
		}
		p := Pair{Name: name.(string)}
		if err := d.Decode(&p.Value); err != nil {
			return nil, false
		}
		pairs = append(pairs, p)
	}
	_, errEnd := d.Token()
	return pairs, errEnd == nil && !d.More()
}

// addJSON reads a body of JSON: one object with the parameters' names, of
// strings, booleans and nulls, which are absent values. Values that are there
// already stay, as in a form; of a repeated name the first counts. Errors don't
// quote values.
func (p Params) addJSON(body []byte, limit int) error {
	pairs, ok := ReadObject(body, limit)
	if !ok {
		return errJSON
	}
	for _, pair := range pairs {
		if err := p.addPair(pair); err != nil {
			return err
		}
	}
	return nil
}

func (p Params) addPair(pair Pair) error {
	var value any
	if err := json.Unmarshal(pair.Value, &value); err != nil {
		return errJSON
	}
	text := ""
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		text = v
	case bool:
		text = strconv.FormatBool(v)
	default:
		return errJSON
	}
	// The decoder puts U+FFFD if an escape is half of a pair.
	if strings.ContainsRune(pair.Name+text, utf8.RuneError) {
		return errors.New("parameters are no text")
	}
	return p.set(pair.Name, text)
}
