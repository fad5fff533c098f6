package faults

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// generatorEnv makes the test binary a load generator: a process of its own,
// so that neither its garbage nor its scheduling mixes with the tests'.
const generatorEnv = "RESEED_LOAD_GENERATOR"

// loadPlan is what a generator is told, in JSON on its standard input.
type loadPlan struct {
	Addr        string
	Connections int
	Mix         []int // places among the kinds, in the order in which they are sent
	Kinds       []requestKind
	Stages      []loadStage
	Sent        []int // how many of each kind earlier generators sent
}

// requestKind is one of the requests of the mix.
type requestKind struct {
	Name     string
	Requests [][]byte // as they go over the wire, one after the other
	Status   int      // of an accepted one
	Marker   string   // in its answer
	Spent    string   // in an answer 400, if the request can be done once only
	Refusal  string   // in an answer 503
}

// loadStage is a time of constant arrival.
type loadStage struct {
	Rate int // a second; 0: one request after the other on each connection
	For  time.Duration
}

func (s loadStage) arrivals() int { return int(float64(s.Rate) * s.For.Seconds()) }

// arrival is a request and when it is due, whatever became of those before it.
type arrival struct {
	due         time.Duration // since the load began
	stage, kind int
	request     []byte
}

// generator sends requests when they are due, over connections that stay
// open. Where all of them are busy a request waits for one, and the time that
// takes counts as the server's.
type generator struct {
	loadPlan
	queue chan arrival
	began time.Time
}

// generate is the generator's main.
func generate(in io.Reader, out io.Writer) error {
	debug.SetGCPercent(800)
	g := &generator{}
	if err := json.NewDecoder(in).Decode(&g.loadPlan); err != nil {
		return err
	}
	lines := make([]*line, g.Connections)
	for i := range lines {
		lines[i] = &line{generator: g}
		if err := lines[i].dial(); err != nil {
			return err
		}
		defer lines[i].close()
	}
	total := 0
	for _, s := range g.Stages {
		total += s.arrivals()
	}
	g.queue = make(chan arrival, total)
	g.began = time.Now()
	var all sync.WaitGroup
	for _, l := range lines {
		all.Go(l.run)
	}
	g.arrive()
	all.Wait()
	return json.NewEncoder(out).Encode(sumUp(g.loadPlan, lines))
}

// arrive queues each request when it is due.
func (g *generator) arrive() {
	defer close(g.queue)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	start, n := time.Duration(0), 0
	sent := g.Sent
	queue := func(a arrival) {
		a.kind = g.Mix[n%len(g.Mix)]
		requests := g.Kinds[a.kind].Requests
		a.request = requests[sent[a.kind]%len(requests)]
		n++
		sent[a.kind]++
		g.queue <- a
	}
	for i, s := range g.Stages {
		for s.Rate == 0 && time.Since(g.began) < start+s.For {
			queue(arrival{stage: i}) // when a connection is free
		}
		for k := range s.arrivals() {
			due := start + time.Duration(k)*time.Second/time.Duration(s.Rate)
			for time.Since(g.began) < due {
				<-tick.C
			}
			queue(arrival{due: due, stage: i})
		}
		start += s.For
	}
}

// line is one of the generator's connections.
type line struct {
	*generator
	conn   net.Conn
	reader *bufio.Reader
	answer bytes.Buffer
	got    []answered
}

func (l *line) dial() (err error) {
	l.close()
	l.conn, err = net.DialTimeout("tcp", l.Addr, answerLimit)
	l.reader = bufio.NewReader(l.conn)
	return err
}

func (l *line) close() {
	if l.conn != nil {
		l.conn.Close()
	}
}

// run sends what is due until nothing is left.
func (l *line) run() {
	for a := range l.queue {
		r := answered{arrival: a, sent: time.Since(l.began)}
		if l.Stages[a.stage].Rate == 0 {
			r.due = r.sent
		}
		err := l.exchange(a.request)
		if errors.Is(err, errStale) {
			err = l.again(a.request)
		}
		r.done = time.Since(l.began)
		r.status, r.fault = l.judge(l.Kinds[a.kind], err)
		l.got = append(l.got, r)
	}
}

// errStale tells of a connection that ended before the server said anything,
// as one does that the server closed for being idle.
var errStale = errors.New("the connection is closed")

// again repeats a request on a new connection.
func (l *line) again(request []byte) error {
	if err := l.dial(); err != nil {
		return err
	}
	return l.exchange(request)
}

// answerLimit is how long the generator waits for an answer.
const answerLimit = time.Minute

// exchange sends a request and reads its answer, as far as that must be understood.
func (l *line) exchange(request []byte) error {
	l.answer.Reset()
	if err := l.conn.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		return errStale
	}
	if _, err := l.conn.Write(request); err != nil {
		return errStale
	}
	length, last, err := l.header()
	if err != nil && l.answer.Len() == 0 && !errors.Is(err, os.ErrDeadlineExceeded) {
		return errStale
	}
	if err != nil {
		return err
	}
	if _, err := io.CopyN(&l.answer, l.reader, int64(length)); err != nil {
		return err
	}
	if last {
		return l.dial()
	}
	return nil
}

// header reads the answer's header: how long its body is, and whether it is
// the connection's last.
func (l *line) header() (length int, last bool, err error) {
	for {
		text, err := l.reader.ReadSlice('\n')
		if err != nil {
			return 0, false, err
		}
		l.answer.Write(text)
		if value, ok := bytes.CutPrefix(text, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, false, err
			}
		}
		last = last || bytes.Equal(text, []byte("Connection: close\r\n"))
		if len(text) <= 2 {
			return length, last, nil
		}
	}
}

// judge returns the answer's status and what is wrong with it.
func (l *line) judge(k requestKind, err error) (status int, fault string) {
	text := l.answer.Bytes()
	if err == nil && len(text) < 12 {
		err = errors.New("no status line")
	}
	if err == nil {
		status, err = strconv.Atoi(string(text[9:12]))
	}
	switch {
	case err != nil:
		return 0, k.Name + ": " + err.Error()
	case status == k.Status && bytes.Contains(text, []byte(k.Marker)):
		return status, ""
	case status == 400 && k.Spent != "" && bytes.Contains(text, []byte(k.Spent)):
		return status, ""
	case status == 503 && bytes.Contains(text, []byte(k.Refusal)) && bytes.Contains(text, []byte("\r\nRetry-After: ")):
		return status, ""
	}
	return status, fmt.Sprintf("%s: %.600s", k.Name, text)
}
