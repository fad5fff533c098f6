package pages

import (
	"net/http"

	"github.com/reseed-project/reseed/openapi"
)

// Tag is that of the inbox in an OpenAPI document.
const Tag = "inbox"

// Describe returns what programs may ask of the inbox as operations.
func Describe() []openapi.Operation {
	const path = "/dev/mail.json"
	return []openapi.Operation{
		{
			ID: "getMails", Tag: Tag, Method: http.MethodGet, Path: path, Summary: "Captured mails, newest first",
			Query:   []string{"to:email", "since:date", "id", "limit:integer", "wait"},
			Answers: mailAnswers(openapi.Of(mailList{})),
		},
		{
			ID: "deleteMails", Tag: Tag, Method: http.MethodDelete, Path: path, Summary: "Removes captured mails: all, or one by its id",
			Query: []string{"id"}, Answers: mailAnswers(openapi.Object("deleted!:integer")),
		},
	}
}

func mailAnswers(done *openapi.Schema) []openapi.Answer {
	kinds := []string{"application/json"}
	answers := []openapi.Answer{{Status: http.StatusOK, About: "Done", Types: kinds, Schema: done}}
	for _, status := range []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		answers = append(answers, openapi.Answer{Status: status, Types: kinds, Schema: openapi.Object("error!").Named("Fault")})
	}
	return answers
}
