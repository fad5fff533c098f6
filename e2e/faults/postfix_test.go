package faults

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	netmail "net/mail"
	"net/smtp"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// postfix is a mail server of its own on this machine: it takes mail by
// STARTTLS alone and hands it on to the mailbox.
type postfix struct {
	t    testing.TB
	dir  string
	addr string
	cert string // the file
	main string // its settings
	proc *child
}

// postfixMain lets the first member's mailbox be unknown, and the others' mail through.
const postfixMain = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.test
mydestination =
alias_maps =
local_recipient_maps =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:%[2]s
smtp_dns_support_level = disabled
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = %[1]s/cert.pem
smtpd_tls_key_file = %[1]s/key.pem
smtpd_tls_received_header = yes
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
smtpd_recipient_restrictions = check_recipient_access inline:{{%[3]s = 550 5.1.1 no such mailbox}}, permit_mynetworks, reject
`

// postfixMaster is the table of services, none of them in a chroot.
const postfixMaster = `%s inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// newPostfix makes a configuration, a certificate and a queue in a folder of
// their own; the machine's are not touched.
func newPostfix(t testing.TB, box *mailbox, unknown string) *postfix {
	t.Helper()
	dir, err := os.MkdirTemp("", "reseed-postfix-")
	if err != nil {
		t.Fatal(err)
	}
	p := &postfix{t: t, dir: dir, addr: freeAddr(t), cert: filepath.Join(dir, "cert.pem")}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of Postfix:\n%s", tail(filepath.Join(dir, "log"), 40))
		}
		p.stop()
		os.RemoveAll(dir)
	})
	_, next, _ := strings.Cut(box.port(t, "postfix"), ":")
	p.main = fmt.Sprintf(postfixMain, dir, next, unknown)
	p.write("conf/main.cf", p.main)
	p.write("conf/master.cf", fmt.Sprintf(postfixMaster, p.addr))
	p.certify()
	for _, sub := range []string{"queue", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.own("data")
	if err := os.Chmod(dir, 0o755); err != nil { // Postfix's processes are other users
		t.Fatal(err)
	}
	return p
}

func (p *postfix) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// own gives a folder to the user that Postfix works as.
func (p *postfix) own(name string) {
	p.t.Helper()
	u, err := user.Lookup("postfix")
	if err != nil {
		p.t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	if err := os.Chown(filepath.Join(p.dir, name), uid, -1); err != nil {
		p.t.Fatal(err)
	}
}

// certify makes a key and the certificate that it signs itself.
func (p *postfix) certify() {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		p.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	p.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

// start starts Postfix and waits for its greeting. Its first process is our
// child, which the command postfix would not let it be.
func (p *postfix) start() {
	p.t.Helper()
	conf := filepath.Join(p.dir, "conf")
	if out, err := exec.Command(installed("postfix"), "-c", conf, "check").CombinedOutput(); err != nil {
		p.t.Fatalf("check: %v\n%s", err, out)
	}
	where, err := exec.Command(installed("postconf"), "-c", conf, "-h", "daemon_directory").Output()
	if err != nil {
		p.t.Fatal(err)
	}
	p.proc = startChild(p.t, exec.Command(filepath.Join(strings.TrimSpace(string(where)), "master"), "-c", conf, "-s", "-e", "3600")) // it outlives us where we are killed, but not for ever
	eventually(p.t, 30*time.Second, "Postfix greets", func() bool {
		if p.proc.gone() {
			p.t.Fatal("Postfix ended")
		}
		return p.greets()
	})
}

func (p *postfix) greets() bool {
	c, err := net.DialTimeout("tcp", p.addr, 5*time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	greeting := make([]byte, 3)
	_, err = c.Read(greeting)
	return err == nil && string(greeting) == "220"
}

// handOn waits until Postfix has handed on all that it took, and knows it:
// stopped before that, it would rightly do so once more.
func (p *postfix) handOn() {
	p.t.Helper()
	eventually(p.t, time.Minute, "Postfix has handed all on", func() bool {
		for _, queue := range []string{"maildrop", "incoming", "active", "deferred"} {
			err := filepath.WalkDir(filepath.Join(p.dir, "queue", queue), func(_ string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					return fs.ErrExist
				}
				return err
			})
			if err != nil { // a file, or one that goes just now
				return false
			}
		}
		return true
	})
}

// stop ends Postfix with all its processes, if it runs.
func (p *postfix) stop() {
	if p.proc == nil {
		return
	}
	p.proc.signal(syscall.SIGTERM)
	select {
	case <-p.proc.ended:
	case <-time.After(20 * time.Second):
		p.proc.kill()
	}
	p.proc = nil
}

// refuses reports what Postfix says to a client that calls itself by this name and
// wants to mail to the address, "" if it takes it.
func (p *postfix) refuses(name, to string) string {
	p.t.Helper()
	c, err := smtp.Dial(p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Close()
	ca, err := os.ReadFile(p.cert)
	if err != nil {
		p.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	err = errors.Join(c.Hello(name), c.StartTLS(&tls.Config{ServerName: "127.0.0.1", RootCAs: pool, MinVersion: tls.VersionTLS12}), c.Mail("pageseeder@example.org"))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := c.Rcpt(to); err != nil {
		return err.Error()
	}
	return ""
}

// TestPostfix sends through Postfix, which refuses clients that don't give their
// full name or address, by STARTTLS with a certificate that the system's settings
// alone make trusted: both mails of every reset arrive, as
// asked for while Postfix was there and while it was not, and the one whose
// mailbox Postfix refuses is dead with the reason.
func TestPostfix(t *testing.T) {
	t.Parallel()
	needs(t, "postfix", "postconf")
	if os.Getuid() != 0 {
		missing(t, "the system's administrator (Postfix's first process must be root's)")
	}
	members := knob(t, "POSTFIX_MEMBERS", 6, 40)
	s := onSQLite(t)
	p := newPostfix(t, s.box, address(0))
	p.start()
	if said := p.refuses("localhost", address(1)); !strings.Contains(said, "need fully-qualified hostname") {
		t.Errorf("EHLO localhost is taken: %q", said)
	}
	r := s.add("SSL_CERT_FILE="+p.cert, "SSL_CERT_DIR="+s.dir)
	r.smtp = "smtp://" + p.addr
	s.populate(members)
	r.startReady()

	client := newClient(20 * time.Second)
	request := func(from, to int) {
		for i := from; i < to; i++ {
			if status, _, err := ask(client, r.url, address(i)); err != nil || status != http.StatusOK {
				t.Errorf("%s: %d %v", address(i), status, err)
			}
		}
	}
	began := time.Now()
	request(0, members/2)
	s.drain(time.Minute)
	p.handOn()
	p.stop()
	request(members/2, members)
	p.start()
	s.drain(2 * time.Minute)
	for range members - 1 {
		d := s.nextToken()
		if got := complete(client, r, change{to: d.to, token: d.token, password: newPassword(d.token)}); got != ok {
			t.Errorf("%s: %s", d.to, got)
		}
	}
	s.drain(time.Minute)
	s.deadAt(address(0), "550")
	p.handOn()
	checkRelayed(t, s.box.accepted(), members-1)
	t.Logf("%d members, %d mails through Postfix in %v", members, len(s.box.accepted()), time.Since(began).Round(time.Millisecond))
}

// nextToken returns the next mail with a token.
func (s *site) nextToken() delivery {
	s.t.Helper()
	select {
	case d := <-s.box.tokens:
		return d
	case <-time.After(30 * time.Second):
		s.t.Fatal("no mail came")
		return delivery{}
	}
}

// deadAt wants the member's one mail to be dead for what the mail server said.
func (s *site) deadAt(email, reason string) {
	s.t.Helper()
	m := s.standings()[email]
	if m == nil || len(m.requests) != 1 || m.requests[0].state != "dead" || !strings.Contains(m.requests[0].outcome, reason) {
		s.t.Errorf("the refused mail: %+v", m)
	}
}

// checkRelayed wants two mails for each of so many members, each once, taken
// by Postfix over TLS and readable.
func checkRelayed(t *testing.T, mails []delivery, members int) {
	t.Helper()
	each, ids := map[string]int{}, map[string]bool{}
	for _, d := range mails {
		m, err := netmail.ReadMessage(bytes.NewReader(d.data))
		if err != nil {
			t.Fatal(err)
		}
		by := strings.Join(strings.Fields(m.Header.Get("Received")), " ")
		if !strings.Contains(by, "by mail.test (Postfix) with ESMTPS") || !strings.Contains(by, "using TLSv1.3") {
			t.Errorf("received: %s", by)
		}
		if m.Header.Get("To") == "" || m.Header.Get("Date") == "" || ids[d.id] {
			t.Errorf("%s twice, or without To or Date: %v", d.id, m.Header)
		}
		ids[d.id] = true
		each[d.to]++
	}
	for to, n := range each {
		if n != 2 {
			t.Errorf("%s got %d mails", to, n)
		}
	}
	if len(each) != members {
		t.Errorf("mails for %d of %d members", len(each), members)
	}
}

// TestPostfixRefusesUsAtRCPT has Postfix find fault with sender, client and
// greeting in its default mode (smtpd_delay_reject), where it says so of the
// recipient's command. None of that is the mailbox's fault: the mail waits, the
// queue is paused and says so, and it is sent when the fault is mended. A mailbox
// that Postfix doesn't know is dead at once, in the same mode.
func TestPostfixRefusesUsAtRCPT(t *testing.T) {
	t.Parallel()
	needs(t, "postfix", "postconf")
	if os.Getuid() != 0 {
		missing(t, "the system's administrator (Postfix's first process must be root's)")
	}
	s := onSQLite(t)
	p := newPostfix(t, s.box, address(0))
	p.start()
	r := s.add("SSL_CERT_FILE="+p.cert, "SSL_CERT_DIR="+s.dir, "RESEED_SMTP_HELLO=localhost")
	r.smtp = "smtp://" + p.addr
	r.withAdmin()
	s.populate(4)
	ready := "http://" + r.admin + "/readyz"
	client := newClient(20 * time.Second)
	order := func(email string) {
		t.Helper()
		if status, _, err := ask(client, r.url, email); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d %v", email, status, err)
		}
	}
	for i, fault := range []struct{ setting, reply string }{
		{"smtpd_sender_restrictions = check_sender_access static:{553 5.7.1 not owned by user reseed}", "553 5.7.1"},
		{"smtpd_client_restrictions = check_client_access static:REJECT", "554 5.7.1"},
		{"smtpd_helo_required = yes\nsmtpd_helo_restrictions = reject_non_fqdn_helo_hostname", "504 5.5.2"},
	} {
		p.restart(fault.setting)
		r.startReady() // one that has sent no mail yet: for a minute after one a fault counts as one mail's alone
		order(address(i + 1))
		eventually(t, 30*time.Second, "the queue is paused: "+fault.reply, func() bool {
			return strings.Contains(get(ready), `"mail":"paused"`)
		})
		m := s.standings()[address(i+1)]
		if len(m.requests) != 1 || m.requests[0].state == "dead" || !strings.Contains(tail(r.log, 1000), fault.reply) {
			t.Errorf("%s: the mail is %+v", fault.reply, m.requests)
		}
		if said := p.said(fault.reply); !strings.Contains(said, "reject: RCPT from") {
			t.Errorf("Postfix did not answer %s at RCPT, but: %q", fault.reply, said)
		}
		t.Logf("%s: waits; Postfix says: %s", fault.reply, p.said(fault.reply))
		p.restart("")
		s.drain(time.Minute)
		if d := s.nextToken(); d.to != address(i+1) {
			t.Errorf("%s: the mail went to %s", fault.reply, d.to)
		}
		eventually(t, 30*time.Second, "the queue goes on", func() bool { return strings.Contains(get(ready), `"mail":"ok"`) })
		r.terminate(20 * time.Second)
	}
	r.startReady()
	order(address(0))
	s.drain(time.Minute)
	s.deadAt(address(0), "550")
	p.handOn()
}

// restart starts Postfix anew with more settings, or with none but its own. Of
// greetings it takes any unless these say otherwise: the last word on a setting counts.
func (p *postfix) restart(more string) {
	p.t.Helper()
	p.stop()
	p.write("conf/main.cf", p.main+"smtpd_helo_restrictions =\n"+more+"\n")
	p.start()
}

// said returns the last line of Postfix's log that has a text.
func (p *postfix) said(text string) string {
	p.t.Helper()
	log, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		p.t.Fatal(err)
	}
	found := ""
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, text) {
			found = strings.TrimSpace(line)
		}
	}
	return found
}
