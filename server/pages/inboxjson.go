package pages

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/inbox"
	"github.com/reseed-project/reseed/server/request"
)

// The bounds of GET /dev/mail.json: how many mails are answered at most, and
// how many are opened to look for them.
const (
	maxListed  = 1000
	maxScanned = 5000
)

// mailList is the answer of GET /dev/mail.json.
type mailList struct {
	Mails []*inbox.Mail `json:"mails"`
}

// maxWait is how long a reader may wait for a mail.
const maxWait = 30 * time.Second

// listJSON answers with mails, newest first, for test suites that read what
// they caused: to=ADDRESS those to someone, since=TIME (RFC 3339) those of
// that time and later, id=ID one of them, limit=N at most so many,
// wait=DURATION until there is one, up to 30s. Error: F006.
func (p *Pages) listJSON(v *pageRequest) (*reply, error) {
	query, err := v.exactQuery()
	if err != nil {
		return p.jsonProblem(v, err)
	}
	wanted, err := readFilter(query)
	if err != nil {
		return p.jsonProblem(v, err)
	}
	list, err := p.waitForMails(v.Context(), wanted)
	if err != nil {
		return p.jsonProblem(v, err)
	}
	return jsonReply(http.StatusOK, list)
}

// waitForMails returns the mails that are wanted, once there is one or the time is over.
func (p *Pages) waitForMails(ctx context.Context, wanted mailFilter) (mailList, error) {
	if wanted.wait == 0 {
		return p.findMails(wanted)
	}
	waiting, cancel := context.WithTimeout(ctx, min(wanted.wait, p.InboxWait))
	defer cancel()
	defer context.AfterFunc(p.Stopping, cancel)()
	next := p.Inbox.Watch(waiting)
	for {
		list, err := p.findMails(wanted)
		if err != nil || len(list.Mails) > 0 || !next() {
			return list, err
		}
	}
}

func (p *Pages) findMails(wanted mailFilter) (mailList, error) {
	list := mailList{Mails: []*inbox.Mail{}}
	entries, err := p.Inbox.List()
	if err != nil {
		return list, err
	}
	for i, entry := range entries {
		if i == maxScanned || len(list.Mails) == wanted.limit {
			break
		}
		if !wanted.entry(entry) {
			continue
		}
		m, err := p.readMail(entry)
		if err != nil {
			return list, err
		}
		if m != nil && wanted.mail(m) {
			list.Mails = append(list.Mails, m)
		}
	}
	return list, nil
}

// mailFilter says which mails are asked for.
type mailFilter struct {
	id, to string
	since  time.Time
	wait   time.Duration
	limit  int
}

func readFilter(query request.Params) (f mailFilter, err error) {
	f = mailFilter{id: query.Get("id"), limit: shownMails}
	f.to = plusKept(query, "to")
	if text := plusKept(query, "since"); text != "" {
		if f.since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return f, request.Malformed(err)
		}
	}
	if text := query.Get("limit"); text != "" {
		f.limit, err = strconv.Atoi(text)
		if err != nil || f.limit < 1 || f.limit > maxListed {
			return f, errcodes.New(errcodes.MalformedRequest)
		}
	}
	if text := query.Get("wait"); text != "" {
		f.wait, err = time.ParseDuration(text)
		if err != nil || f.wait < 0 || f.wait > maxWait {
			return f, errcodes.New(errcodes.MalformedRequest)
		}
	}
	return f, nil
}

// plusKept reads a value that holds no spaces: one is a + that was not escaped,
// of ann+test@example.org or of an offset such as +02:00.
func plusKept(query request.Params, name string) string {
	return strings.ReplaceAll(query.Get(name), " ", "+")
}

func (f mailFilter) entry(e MailEntry) bool {
	return (f.id == "" || f.id == e.ID) && (f.since.IsZero() || !e.Time.Before(f.since))
}

func (f mailFilter) mail(m *inbox.Mail) bool { return f.to == "" || strings.EqualFold(f.to, m.To) }

// deleteJSON empties the inbox, or removes the one mail that id names, and
// says how many there were. Error: F006; a query that can't be read must not
// count as none, which empties the inbox.
func (p *Pages) deleteJSON(v *pageRequest) (*reply, error) {
	if !isJSON(v.Request) {
		return nil, &errcodes.Error{Code: errcodes.WrongMethod, Status: http.StatusMethodNotAllowed}
	}
	query, err := v.exactQuery()
	if err != nil {
		return p.jsonProblem(v, err)
	}
	id := query.Get("id")
	n, err := p.remove(id, id == "")
	if err != nil {
		return p.jsonProblem(v, err)
	}
	return jsonReply(http.StatusOK, map[string]int{"deleted": n})
}

// jsonProblem is an error for programs.
func (p *Pages) jsonProblem(v *pageRequest, err error) (*reply, error) {
	e := errcodes.From(err)
	request.SetError(v.Context(), e)
	return jsonReply(e.HTTPStatus(), map[string]string{"error": e.Message()})
}
