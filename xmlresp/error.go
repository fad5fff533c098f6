package xmlresp

import "github.com/reseed-project/reseed/errcodes"

// ErrorDoc is what a failed request is answered with (contract 1.2).
type ErrorDoc struct {
	Code    errcodes.Code
	Request string // path as it came, without any parameters
	Message string
}

// NewError returns the document of an error; its cause stays behind.
func NewError(err *errcodes.Error, request string) ErrorDoc {
	return ErrorDoc{Code: err.Code, Request: request, Message: err.Message()}
}

func (d ErrorDoc) element() element {
	return element{
		name:  "error",
		attrs: []attr{{name: "id", value: d.Code.String()}},
		children: []element{
			leaf("request", d.Request),
			leaf("message", d.Message),
		},
	}
}
