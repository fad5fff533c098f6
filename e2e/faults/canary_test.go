package faults

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// Secrets that are known beforehand; tokens come on top.
const (
	canaryPassword = "Canary&bird+sings=9 at/dawn"
	canarySMTP     = "smtp-Canary/secret+7a"
	canaryDSN      = "dsn-Canary-secret-51f"
)

// TestNoSecretLeavesItsPlace runs every flow and some faults with secrets that
// are known, and looks for them in all that comes out: logs, answers, argument
// lists, metrics, the database and its binary log (LOG-1, TOK-2).
func TestNoSecretLeavesItsPlace(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{Networking: true, Args: []string{"--log-bin=changes", "--binlog-format=ROW", "--server-id=1"}})
	s := onMariaDB(t, server)
	s.withPassword(server)
	p := newProxy(t, fmt.Sprintf("127.0.0.1:%d", server.Port()))
	admin := freeAddr(t)
	r := s.add("RESEED_SMTP_PASSWORD="+canarySMTP, "RESEED_ADMIN_LISTEN="+admin, "RESEED_AUDIT_IDENTIFIERS=plain", "RESEED_REQUEST_TIMEOUT=2s")
	r.dsn = throughProxy(s.dsn, server.Port(), p)
	s.populate(20)
	r.startReady()
	out := &bytes.Buffer{}
	client := newClient(20 * time.Second)
	tokens := s.everyFlow(out, client, p)
	argv, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.process().cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	places := map[string][]byte{
		"answers": out.Bytes(), "argument list": argv,
		"metrics": s.metrics(admin), "database": dump(t, server, s.dsn),
		"binary log": binaryLog(t, server),
	}
	r.badCommands(places)
	r.terminate(20 * time.Second)
	if places["log"], err = os.ReadFile(r.log); err != nil || len(places["log"]) < 1000 {
		t.Fatalf("%d bytes of log, %v", len(places["log"]), err)
	}
	key, _ := base64.StdEncoding.DecodeString(siteKey)
	secrets := map[string]string{
		"password": canaryPassword, "SMTP password": canarySMTP, "DSN's password": canaryDSN, "key": string(key),
	}
	for i, token := range tokens {
		secrets[fmt.Sprintf("token %d", i)] = token
	}
	for place, content := range places {
		for name, secret := range secrets {
			for _, found := range leaks(content, secret) {
				t.Errorf("the %s is in the %s, as %s", name, place, found)
			}
		}
	}
}

// TestLeaksAreFound tests the search itself.
func TestLeaksAreFound(t *testing.T) {
	const secret = "ujHidAn9kKj/bQuVbl+vLMc9npOjAKj2"
	for form := range spellings(secret) {
		if len(leaks([]byte("before "+spellings(secret)[form]+" after"), secret)) == 0 {
			t.Errorf("not found: %s", form)
		}
	}
	if len(leaks([]byte("x bQuVbl+v y"), secret)) == 0 {
		t.Error("a piece is not found")
	}
	if found := leaks([]byte("nothing of it"), secret); len(found) != 0 {
		t.Errorf("found %v in nothing", found)
	}
}

// spellings are the forms in which a secret may come out.
func spellings(secret string) map[string]string {
	quoted := fmt.Sprintf("%q", secret)
	return map[string]string{
		"itself": secret, "URL escape": url.QueryEscape(secret), "path escape": url.PathEscape(secret),
		"quoted text": quoted[1 : len(quoted)-1], "hexadecimal": hex.EncodeToString([]byte(secret)),
		"HEXADECIMAL": strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"base64":      base64.RawStdEncoding.EncodeToString([]byte(secret)),
		"base64url":   base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"backwards":   reversed(secret),
	}
}

func reversed(s string) string {
	b := []byte(s)
	for i := range len(b) / 2 {
		b[i], b[len(b)-1-i] = b[len(b)-1-i], b[i]
	}
	return string(b)
}

// leaks returns the forms in which a secret, or any eight bytes of it, occurs.
func leaks(content []byte, secret string) []string {
	var found []string
	for form, text := range spellings(secret) {
		if bytes.Contains(content, []byte(text)) {
			found = append(found, form)
		}
	}
	for i := 0; i+8 <= len(secret); i++ {
		if bytes.Contains(content, []byte(secret[i:i+8])) {
			return append(found, fmt.Sprintf("the piece from byte %d on", i))
		}
	}
	return found
}

// withPassword has the servers sign in to MariaDB with a password.
func (s *site) withPassword(server *mariadbtest.Server) {
	s.t.Helper()
	for _, q := range []string{
		`CREATE USER canary@'127.0.0.1' IDENTIFIED BY '` + canaryDSN + `'`,
		`GRANT ALL ON *.* TO canary@'127.0.0.1'`,
		`RESET MASTER`, // the binary log has this password, from here
	} {
		if _, err := server.Admin().Exec(q); err != nil {
			s.t.Fatal(err)
		}
	}
	s.dsn = strings.Replace(s.dsn, "root@", "canary:"+canaryDSN+"@", 1)
}

// everyFlow goes through both services, right and wrong, with the database and
// the mail server at hand and away. It returns the tokens that were mailed.
func (s *site) everyFlow(out *bytes.Buffer, client *http.Client, p *proxy) []string {
	s.t.Helper()
	var tokens []string
	base := s.servers[0].url + "/members/resetpassword"
	send := func(to string, form url.Values) {
		status, body, err := post(context.Background(), client, to, form)
		fmt.Fprintln(out, status, body, err != nil)
	}
	for i := range 3 {
		d := s.token(client, i)
		tokens = append(tokens, d.token)
		email := url.Values{"email": {d.to}}
		with := func(token, pw string) url.Values {
			return url.Values{"email": email["email"], "token": {token}, "member-password": {pw}}
		}
		send(base, with(d.token, "short"))
		send(base, with(d.token, d.to))
		send(base+"?"+with(d.token, canaryPassword).Encode()+"&x=%zz", nil)
		// An error repeats the path as it came (contract 1.2); the log must not.
		_, _, _ = post(context.Background(), client, base+"/"+d.token, with(d.token, canaryPassword))
		send(base, with(d.token+"x", canaryPassword))
		p.set(toxic{cut: "COMMIT"})
		send(base, with(d.token, canaryPassword))
		p.set(toxic{down: true})
		send(base, with(d.token, canaryPassword))
		p.set(toxic{})
		s.recovery(20 * time.Second)
		send(base, with(d.token, canaryPassword))
		send(base, with(d.token, canaryPassword))
		s.get(out, client, "/ps/email/changepassword?member=1&token="+d.token, "")
		s.get(out, client, "/ps/service/members/1?token="+d.token, "")
		s.get(out, client, "/ps/service/members/"+d.to, canaryPassword)
		s.get(out, client, "/ps/service/self", "wrong"+canaryPassword)
	}
	if !strings.Contains(out.String(), "password-changed") {
		s.t.Errorf("no password was changed:\n%s", out)
	}
	return tokens
}

// get reads a page, signed in if a password is given.
func (s *site) get(out *bytes.Buffer, client *http.Client, path, pw string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+s.servers[0].addr+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if pw != "" {
		req.SetBasicAuth(address(0), pw)
	}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if strings.Contains(path, "/email/changepassword") {
		return // the page carries the token on, in its form
	}
	fmt.Fprintln(out, resp.Status, resp.Header)
	if _, err := out.ReadFrom(resp.Body); err != nil {
		s.t.Fatal(err)
	}
}

// metrics reads what the server says about itself.
func (s *site) metrics(admin string) []byte {
	s.t.Helper()
	all := &bytes.Buffer{}
	for _, path := range []string{"/metrics", "/readyz", "/livez", "/debug/pprof/goroutine?debug=2"} {
		resp, err := http.Get("http://" + admin + path)
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := all.ReadFrom(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			s.t.Errorf("%s: %s %v", path, resp.Status, err)
		}
		resp.Body.Close()
	}
	return all.Bytes()
}

// dump returns all that the database holds, blobs as they are and in hexadecimal.
func dump(t *testing.T, server *mariadbtest.Server, dsn string) []byte {
	t.Helper()
	_, name, _ := strings.Cut(dsn, ")/")
	var all []byte
	for _, form := range []string{"--hex-blob", "--skip-hex-blob"} {
		out, err := exec.Command("mariadb-dump", "--no-defaults", "--user=root", "--socket="+server.Socket(), form, name).Output()
		if err != nil || !bytes.Contains(out, []byte("INSERT INTO `mails`")) {
			t.Fatalf("dump: %v, %d bytes", err, len(out))
		}
		all = append(all, out...)
	}
	return all
}

// binaryLog returns what the server wrote down of changes, row by row.
func binaryLog(t *testing.T, server *mariadbtest.Server) []byte {
	t.Helper()
	var base string
	if err := server.Admin().QueryRowContext(t.Context(), "SELECT @@log_bin_basename").Scan(&base); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(base + ".0*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no binary log at %s, %v", base, err)
	}
	var all []byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	if !bytes.Contains(all, []byte(address(0))) {
		t.Fatalf("no row is in the binary log, %d bytes", len(all))
	}
	return all
}

// badCommands runs commands that fail, or that show what is stored.
func (r *replica) badCommands(places map[string][]byte) {
	for name, args := range map[string][]string{
		"mail list":      {"mail", "list"},
		"events list":    {"events", "list"},
		"member show":    {"member", "show", address(0)},
		"bad serve":      {"serve", "--listen", "nowhere"},
		"bad SMTP":       {"serve", "--smtp", "smtp://u:" + canarySMTP + "@127.0.0.1:1"},
		"unknown folder": {"serve", "--templates", filepath.Join(r.site.dir, "none")},
	} {
		out, _ := r.command(args...).CombinedOutput()
		places["output of "+name] = out
	}
}
