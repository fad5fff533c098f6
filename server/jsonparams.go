package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

var errJSON = errors.New("the body is no JSON object of strings and booleans")

// addJSON reads a body of JSON: one object with the parameters' names, of
// strings and booleans. Values that are there already stay, as in a form; of a
// repeated name the first counts. Errors don't quote values.
func (p params) addJSON(body []byte, limit int) error {
	if !utf8.Valid(body) {
		return errors.New("the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return errJSON
	}
	for n := 0; d.More(); n++ {
		if n == limit {
			return errors.New("too many parameters")
		}
		if err := p.addMember(d); err != nil {
			return err
		}
	}
	if end, err := d.Token(); err != nil || end != json.Delim('}') {
		return errJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errJSON
	}
	return nil
}

func (p params) addMember(d *json.Decoder) error {
	key, errKey := d.Token()
	token, errValue := d.Token()
	name, isName := key.(string)
	if errKey != nil || errValue != nil || !isName {
		return errJSON
	}
	var value string
	switch v := token.(type) {
	case string:
		value = v
	case bool:
		value = strconv.FormatBool(v)
	default:
		return errJSON
	}
	// The decoder puts U+FFFD where an escape is half of a pair.
	if strings.ContainsRune(name+value, utf8.RuneError) {
		return errors.New("parameters are no text")
	}
	return p.set(name, value)
}
