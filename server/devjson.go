package server

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"reseed/errcodes"
)

// The bounds of GET /dev/mail.json: how many mails are answered at most, and
// how many are opened to look for them.
const (
	maxListed  = 1000
	maxScanned = 5000
)

// mailList is the answer of GET /dev/mail.json.
type mailList struct {
	Mails []*openedMail `json:"mails"`
}

// listJSON answers with mails, newest first, for test suites that read what
// they caused: to=ADDRESS those to somebody, since=TIME (RFC 3339) those of
// that time and later, id=ID one of them, limit=N at most so many. Error: F006.
func (p *pages) listJSON(v *visit) (*reply, error) {
	query, err := v.exactQuery()
	if err != nil {
		return p.jsonProblem(v, err)
	}
	wanted, limit, err := readFilter(query)
	if err != nil {
		return p.jsonProblem(v, err)
	}
	entries, err := p.Inbox.List()
	if err != nil {
		return p.jsonProblem(v, err)
	}
	list := mailList{Mails: []*openedMail{}}
	for i, entry := range entries {
		if i == maxScanned || len(list.Mails) == limit {
			break
		}
		if !wanted.entry(entry) {
			continue
		}
		m, err := p.readMail(entry)
		if err != nil {
			return p.jsonProblem(v, err)
		}
		if m != nil && wanted.mail(m) {
			list.Mails = append(list.Mails, m)
		}
	}
	return jsonReply(http.StatusOK, list)
}

// mailFilter says which mails are asked for.
type mailFilter struct {
	id, to string
	since  time.Time
}

func readFilter(query params) (f mailFilter, limit int, err error) {
	f, limit = mailFilter{id: query.get("id"), to: query.get("to")}, shownMails
	if text := query.get("since"); text != "" {
		text = strings.ReplaceAll(text, " ", "+") // of an offset such as +02:00 that was not escaped
		if f.since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return f, 0, malformed(err)
		}
	}
	if text := query.get("limit"); text != "" {
		limit, err = strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxListed {
			return f, 0, errcodes.New(errcodes.MalformedRequest)
		}
	}
	return f, limit, nil
}

func (f mailFilter) entry(e MailEntry) bool {
	return (f.id == "" || f.id == e.ID) && (f.since.IsZero() || !e.Time.Before(f.since))
}

func (f mailFilter) mail(m *openedMail) bool { return f.to == "" || strings.EqualFold(f.to, m.To) }

// deleteJSON empties the inbox, or removes the one mail that id names, and
// says how many there were. Error: F006; a query that can't be read must not
// count as none, which empties the inbox.
func (p *pages) deleteJSON(v *visit) (*reply, error) {
	if !isJSON(v.Request) {
		return nil, &errcodes.Error{Code: errcodes.WrongMethod, Status: http.StatusMethodNotAllowed}
	}
	query, err := v.exactQuery()
	if err != nil {
		return p.jsonProblem(v, err)
	}
	id := query.get("id")
	n, err := p.remove(id, id == "")
	if err != nil {
		return p.jsonProblem(v, err)
	}
	return jsonReply(http.StatusOK, map[string]int{"deleted": n})
}

// jsonProblem is an error for programs.
func (p *pages) jsonProblem(v *visit, err error) (*reply, error) {
	e := errcodes.From(err)
	noteError(v.Context(), e)
	return jsonReply(e.HTTPStatus(), map[string]string{"error": e.Message()})
}
