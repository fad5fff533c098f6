package templates

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/reseed-project/reseed/templates/xslt"
)

// saxonOptions has stylesheets rendered by the real Saxon.
func saxonOptions(t testing.TB) Options {
	t.Helper()
	if err := xslt.Check(xslt.Saxon); err != nil {
		t.Fatalf("%v; scripts/setup.sh installs what is missing", err)
	}
	return Options{XSLT: func(files map[string][]byte) (Transformer, error) {
		return xslt.New(xslt.Config{Setting: xslt.Saxon, Files: files, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	}}
}

func loadStylesheets(t testing.TB) *Set {
	t.Helper()
	set := mustLoad(t, os.DirFS("testdata/xslt"), saxonOptions(t))
	t.Cleanup(func() {
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	})
	return set
}

// A folder in the vendor's style works as it is: imports, modes, typed
// functions, analyze-string, temporary trees, a style sheet in an external entity.
func TestGoldenStylesheets(t *testing.T) {
	t.Parallel()
	set := loadStylesheets(t)
	for _, group := range []*Group{nil, sampleGroup()} {
		for _, c := range []struct{ template, reason string }{
			{ResetPasswordConfirm, ReasonMember}, {ResetPasswordConfirm, ReasonAdmin}, {ResetPasswordConfirm, ReasonForced},
			{ChangePassword, ""},
		} {
			name := strings.TrimSuffix("xslt-"+c.template+"-"+c.reason, "-")
			if group != nil {
				name += "-group"
			}
			t.Run(name, func(t *testing.T) {
				r := render(t, set, []string{"acme"}, sample(c.template, c.reason, group, true))
				from := fmt.Sprintf("From: %s <%s>\nReply-To: %s\n", r.Settings.FromName, r.Settings.FromAddress, r.Settings.ReplyTo)
				checkGolden(t, name+".txt", from+"Subject: "+r.Subject+"\n\n"+r.Text)
				checkGolden(t, name+".html", r.HTML)
			})
		}
	}
}

// What stylesheets get is the contract's notification, byte for byte (1.9).
func TestNotificationDocument(t *testing.T) {
	for _, c := range []struct {
		n    Notification
		want string
	}{
		{sample(ResetPasswordConfirm, ReasonMember, sampleGroup(), true), `<notification template="reset-password-confirm" emaildomain="example.org" hosturl="https://example.org/ps" reason="member" token="ujHidAn9kKjObQuVbl_vLMc9npOjAKj2" unsubscribetoken="">` +
			`<member id="12" firstname="John" lastname="Jones" email="jjones@example.org" username="jjones" status="activated"><fullname>John Jones</fullname></member>` +
			`<group id="3" name="acme-specs" description="What Acme builds" owner="acme"/></notification>`},
		{sample(ChangePassword, "", nil, false), `<notification template="change-password" emaildomain="" hosturl="https://example.org/ps" unsubscribetoken=""><member id="12"><fullname/></member></notification>`},
	} {
		n, err := c.n.prepare()
		if err != nil {
			t.Fatal(err)
		}
		got, err := n.document()
		if err != nil || string(got) != c.want {
			t.Errorf("%s, %v\nwant %s", got, err, c.want)
		}
	}
}

// sheet is a stylesheet with that as the content of its HTML.
func sheet(content string) string {
	return `<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:xs="http://www.w3.org/2001/XMLSchema">` + "\n" +
		`<xsl:template match="/notification"><html><head><title>S</title></head><body>` +
		`<a href="{@hosturl}?member={member/@id}&amp;token={@token}">x</a>` + "\n" + content + `</body></html></xsl:template></xsl:stylesheet>`
}

// Stylesheets see the templates folder and nothing else, and what they get
// wrong is said with file and line.
func TestStylesheetFaults(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, content string
		want          []string
	}{
		{"document()", `<xsl:copy-of select="document('file:///etc/passwd')"/>`, []string{":3: ", "nothing else can be read"}},
		{"doc()", `<xsl:copy-of select="doc('/etc/passwd')"/>`, []string{"etc/passwd", "nothing else can be read"}},
		{"doc() above the folder", `<xsl:copy-of select="doc('../../../etc/passwd')"/>`, []string{"nothing else can be read"}},
		{"doc() over the network", `<xsl:copy-of select="doc('http://127.0.0.1:9/x')"/>`, []string{"nothing else can be read"}},
		{"unparsed-text()", `<xsl:value-of select="unparsed-text('file:///etc/passwd')"/>`, []string{"nothing else can be read"}},
		{"unparsed-text-lines()", `<xsl:value-of select="unparsed-text-lines('file:///etc/passwd')"/>`, []string{"nothing else can be read"}},
		{"collection()", `<xsl:copy-of select="collection('file:///etc')"/>`, []string{"not allowed"}},
		{"uri-collection()", `<xsl:copy-of select="uri-collection('file:///etc')"/>`, []string{"not allowed"}},
		{"json-doc()", `<xsl:copy-of select="json-doc('file:///etc/passwd')"/>`, []string{"nothing else can be read"}},
		{"result-document", `<xsl:result-document href="file:///tmp/reseed-xslt-test">x</xsl:result-document>`, []string{"result-document"}},
		{"a Java function", `<xsl:value-of select="rt:exec(rt:getRuntime(), 'id')" xmlns:rt="java:java.lang.Runtime"/>`, []string{":3: ", "External function calls have been disabled"}},
		{"a system property", `<xsl:value-of select="system-property('user.dir')"/><xsl:if test="system-property('user.dir') = ''"><xsl:message terminate="yes">no property</xsl:message></xsl:if>`, []string{"no property"}},
		{"an environment variable", `<xsl:if test="empty(available-environment-variables())"><xsl:message terminate="yes">no variables</xsl:message></xsl:if>`, []string{"no variables"}},
		{"a message", `<xsl:message terminate="yes">give up</xsl:message>`, []string{":3: ", "give up"}},
		{"an unknown function", `<xsl:value-of select="upcase('x')"/>`, []string{":3: ", "upcase"}},
		{"an unknown variable", `<xsl:value-of select="$nome"/>`, []string{":3: ", "nome"}},
		{"no XML", `<p>`, []string{":3: "}},
		{"no end", `<xsl:call-template name="f"/></body></html></xsl:template><xsl:template name="f"><xsl:variable name="v"><xsl:call-template name="f"/></xsl:variable><xsl:value-of select="string-length($v)"/></xsl:template><xsl:template match="x"><html><body>`, []string{"may be looping"}},
		{"too much output", `<xsl:for-each select="1 to 100000">0123456789</xsl:for-each>`, []string{"more than 512 KiB"}},
	}
	fsys := fstest.MapFS{}
	for i, c := range cases {
		fsys[faultyFile(i)] = &fstest.MapFile{Data: []byte(sheet(c.content))}
	}
	faults := loadFaults(t, fsys)
	for i, c := range cases {
		for _, want := range c.want {
			if !strings.Contains(faults[faultyFile(i)], want) {
				t.Errorf("%s: lacks %q: %q", c.name, want, faults[faultyFile(i)])
			}
		}
	}
	if _, err := os.Stat("/tmp/reseed-xslt-test"); err == nil {
		t.Error("a stylesheet wrote a file")
	}
}

func faultyFile(i int) string { return fmt.Sprintf("group%02d/notification/change-password.xsl", i) }

// loadFaults loads a folder and returns what is said of each file.
func loadFaults(t *testing.T, fsys fstest.MapFS) map[string]string {
	t.Helper()
	set, err := Load(fsys, saxonOptions(t))
	if err == nil {
		t.Fatalf("loaded: %v", set.Close())
	}
	if strings.Contains(err.Error(), "root:") {
		t.Errorf("a file of the machine was read: %v", err)
	}
	faults := map[string]string{}
	for file := range fsys {
		for line := range strings.Lines(strings.TrimPrefix(err.Error(), "load mail templates: ")) {
			if strings.HasPrefix(line, file) {
				faults[file] += line
			}
		}
	}
	return faults
}

func TestStylesheetImportsAndEntitiesStayInTheFolder(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{}
	for i, text := range []string{
		strings.Replace(sheet(""), "<xsl:template", `<xsl:import href="file:///etc/passwd"/><xsl:template`, 1),
		strings.Replace(sheet(""), "<xsl:template", `<xsl:include href="../../../../etc/passwd"/><xsl:template`, 1),
		`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + sheet("&e;"),
		`<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">` + sheet(""),
	} {
		fsys[faultyFile(i)] = &fstest.MapFile{Data: []byte(text)}
	}
	faults := loadFaults(t, fsys)
	for file := range fsys {
		if !strings.Contains(faults[file], "nothing else can be read") {
			t.Errorf("%s: %q", file, faults[file])
		}
	}
}

// The other groups' mails go on while one group's stylesheet never ends.
func TestEndlessStylesheetIsCutOff(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return
	}
	endless := `<xsl:if test="member/@id = 99"><xsl:value-of select="sum(for $a in 1 to 100000, $b in 1 to 100000 return $a * $b)"/></xsl:if>`
	set := mustLoad(t, files(
		"acme/notification/change-password.xsl", sheet(endless),
		"globex/notification/change-password.xsl", sheet("<p>fine</p>"),
	), saxonOptions(t))
	defer set.Close()
	n := sample(ChangePassword, "", nil, true)
	n.Member.ID = 99
	if _, err := set.Render(t.Context(), []string{"acme"}, n); err == nil || !strings.Contains(err.Error(), "took longer than 5000 ms") {
		t.Errorf("endless: %v", err)
	}
	if _, err := set.Render(t.Context(), []string{"acme"}, n); err == nil || !strings.Contains(err.Error(), "is tried again in") {
		t.Errorf("at once after that: %v", err)
	}
	if r, err := set.Render(t.Context(), []string{"globex"}, n); err != nil || !strings.Contains(r.HTML, "fine") {
		t.Errorf("another group: %v", err)
	}
}

// One that takes all memory ends the renderer, and that group's mails alone.
func TestStylesheetThatExhaustsTheHeapIsCutOff(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return
	}
	greedy := strings.Replace(sheet(`<xsl:if test="member/@id = 99"><xsl:call-template name="double"><xsl:with-param name="s" select="'x'"/></xsl:call-template></xsl:if>`), "</xsl:stylesheet>",
		`<xsl:template name="double"><xsl:param name="s"/><xsl:call-template name="double"><xsl:with-param name="s" select="concat($s, $s)"/></xsl:call-template></xsl:template></xsl:stylesheet>`, 1)
	set := mustLoad(t, files(
		"acme/notification/change-password.xsl", greedy,
		"globex/notification/change-password.xsl", sheet("<p>fine</p>"),
	), saxonOptions(t))
	defer set.Close()
	n := sample(ChangePassword, "", nil, true)
	n.Member.ID = 99
	if _, err := set.Render(t.Context(), []string{"acme"}, n); err == nil || !strings.Contains(err.Error(), "OutOfMemoryError") {
		t.Errorf("greedy: %v", err)
	}
	if _, err := set.Render(t.Context(), []string{"acme"}, n); err == nil || !strings.Contains(err.Error(), "is tried again in") {
		t.Errorf("at once after that: %v", err)
	}
	if r, err := set.Render(t.Context(), []string{"globex"}, n); err != nil || !strings.Contains(r.HTML, "fine") {
		t.Errorf("another group: %v", err)
	}
}

func TestStylesheetErrorsHoldNoSecret(t *testing.T) {
	t.Parallel()
	set := mustLoad(t, files("acme/notification/set-password.xsl",
		sheet(`<xsl:if test="member/@id = 99"><xsl:message terminate="yes"><xsl:value-of select="@token"/></xsl:message></xsl:if>`)), saxonOptions(t))
	defer set.Close()
	n := sample(SetPassword, "", nil, true)
	n.Member.ID = 99
	if _, err := set.Render(t.Context(), []string{"acme"}, n); err == nil || strings.Contains(err.Error(), n.Token) {
		t.Errorf("error = %v", err)
	}
}

// The vendor's folder holds templates of other notifications, modules and styles.
func TestVendorFolderIsLeftAlone(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{}
	for _, name := range []string{"new-comment.xsl", "_frame.xsl", "styles.css", "reset-password-complete.xsl", "html/_custom.xsl"} {
		fsys["acme/Notification/"+name] = &fstest.MapFile{Data: []byte("x")}
	}
	fsys["acme/Notification/change-password.xsl"] = &fstest.MapFile{Data: []byte(sheet(""))}
	set := mustLoad(t, fsys, saxonOptions(t))
	defer set.Close()
	r := render(t, set, []string{"acme"}, sample(ChangePassword, "", nil, true))
	if r.Subject != "S" || !strings.Contains(r.Text, "x") {
		t.Errorf("%+v", r)
	}
}

func BenchmarkWaysToRender(b *testing.B) {
	n := sample(ResetPasswordConfirm, ReasonMember, sampleGroup(), true)
	own := files("acme/notification/reset-password-confirm.html", "<p>{{.Link}}</p>", "acme/notification/reset-password-confirm.txt", "{{.Link}}")
	for _, c := range []struct {
		name string
		set  *Set
	}{{"built-in", mustLoad(b, nil, Options{})}, {"group", mustLoad(b, own, Options{})}, {"xslt", loadStylesheets(b)}} {
		b.Run(c.name, func(b *testing.B) {
			for range 200 { // until it is warm
				_ = render(b, c.set, []string{"acme"}, n)
			}
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				_ = render(b, c.set, []string{"acme"}, n)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-µs")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds()), "p95-µs")
		})
	}
}
