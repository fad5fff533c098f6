package templates

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/css"
)

// styleFault finds what makes a browser drop the rest of a style sheet without
// a word: braces that don't match, strings and comments without an end.
func styleFault(text string) error {
	lexer := css.NewLexer(parse.NewInputString(text))
	line, open := 1, []int{} // lines of the braces that are open
	for {
		kind, token := lexer.Next()
		switch kind {
		case css.ErrorToken:
			if err := lexer.Err(); !errors.Is(err, io.EOF) {
				return fmt.Errorf("line %d: %w", line, err)
			}
			if len(open) > 0 {
				return fmt.Errorf("line %d: this { has no }", open[len(open)-1])
			}
			return nil
		case css.LeftBraceToken:
			open = append(open, line)
		case css.RightBraceToken:
			if len(open) == 0 {
				return fmt.Errorf("line %d: this } has no {", line)
			}
			open = open[:len(open)-1]
		case css.BadStringToken, css.BadURLToken:
			return fmt.Errorf("line %d: %.40q has no end", line, token)
		case css.CommentToken:
			if !strings.HasSuffix(string(token), "*/") {
				return fmt.Errorf("line %d: this comment has no end", line)
			}
		}
		line += strings.Count(string(token), "\n")
	}
}
