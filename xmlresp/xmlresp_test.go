package xmlresp

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
)

func TestDocumentedBytes(t *testing.T) {
	changed := time.Date(2016, 2, 25, 13, 48, 12, 999, time.FixedZone("", 11*3600))
	vega := members.Member{
		ID: 123, Firstname: "Vincent", Surname: "Vega", Username: "vvega", Email: "vvega@example.org",
		Status: members.Activated, LastPasswordChange: changed,
	}
	tests := []struct {
		name      string
		doc       Document
		xml, json string
	}{
		{"requested", ResetPassword{Status: RequestSuccessful},
			`<reset-password status="request-successful" />`, `{"status":"request-successful"}`},
		{"pending for an administrator", ResetPassword{Status: Pending, Admin: true},
			`<reset-password status="pending" admin="true" />`, `{"status":"pending","admin":true}`},
		{"error", NewError(errcodes.Wrap(errcodes.MemberNotFound, errors.New("secret")), "/ps/api/members/999999.xml"),
			"<error id=\"0106\">\n  <request>/ps/api/members/999999.xml</request>\n  <message>Unable to find matching member.</message>\n</error>",
			`{"id":"0106","request":"/ps/api/members/999999.xml","message":"Unable to find matching member."}`},
		{"version", Version{6, 2007},
			`<version major="6" build="2007" string="6.2007" />`, `{"major":6,"build":2007,"string":"6.2007"}`},
		{"member", MemberDoc{Member: vega, Admin: true, Zone: changed.Location()},
			"<member id=\"123\" firstname=\"Vincent\" surname=\"Vega\" username=\"vvega\" email=\"vvega@example.org\"" +
				" lastpasswordchange=\"2016-02-25T13:48:12+11:00\" status=\"activated\" admin=\"true\">\n" +
				"  <fullname>Vincent Vega</fullname>\n</member>",
			`{"id":123,"firstname":"Vincent","surname":"Vega","username":"vvega","email":"vvega@example.org",` +
				`"lastpasswordchange":"2016-02-25T13:48:12+11:00","status":"activated","admin":true,"fullname":"Vincent Vega"}`},
		{"unlock", MemberUnlock{Member: MemberDoc{Member: members.Member{ID: 7, Status: members.Disabled}, Locked: true}},
			"<member-unlock>\n  <member id=\"7\" firstname=\"Member\" surname=\"0007\" username=\"7\" status=\"disabled\" locked=\"true\">\n    <fullname>Member 0007</fullname>\n  </member>\n</member-unlock>",
			`{"member":{"id":7,"firstname":"Member","surname":"0007","username":"7","status":"disabled","locked":true,"fullname":"Member 0007"}}`},
		{"escapes", ErrorDoc{Request: "/a&b<c>\"d'e", Message: "x\x00\ufffe\n\xff\U0001F600"},
			"<error id=\"0000\">\n  <request>/a&amp;b&lt;c&gt;&quot;d'e</request>\n  <message>x\ufffd\ufffd&#xA;\ufffd\U0001F600</message>\n</error>",
			"{\"id\":\"0000\",\"request\":\"/a&b<c>\\\"d'e\",\"message\":\"x\\u0000\ufffe\\n\ufffd\U0001F600\"}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.xml, string(Encode(XML, tt.doc))); diff != "" {
				t.Errorf("XML (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.json, string(Encode(JSON, tt.doc))); diff != "" {
				t.Errorf("JSON (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever a value holds, the answer parses strictly, has one root, and gives
// the value back, but for what XML can't hold (WEB-5).
func FuzzXMLOut(f *testing.F) {
	f.Add("/ps/api/members/1", "text")
	f.Add("\ue0000\ue000n\ue000", "\n\ue000t/>&apos;&#xA;")
	f.Add("]]>&<'\"\x00\xff", "\r\n\t\u2028\ufffe")
	f.Add("\x01\x02\x08\x0b\x0c\x0e\x1b\x1f\x7f\u0085", "\ufffd\uffff\U00010000\U0010ffff\xed\xa0\x80")
	f.Fuzz(func(t *testing.T, request, message string) {
		doc := ErrorDoc{Code: errcodes.Internal, Request: request, Message: message}
		tree := etree.NewDocument()
		out := Encode(XML, doc)
		if err := tree.ReadFromBytes(out); err != nil {
			t.Fatalf("etree: %v\n%s", err, out)
		}
		root := tree.Root()
		if root == nil || len(tree.ChildElements()) != 1 || len(root.ChildElements()) != 2 {
			t.Fatalf("unexpected shape:\n%s", out)
		}
		if got, want := root.SelectElement("request").Text(), replaceIllegal(request); got != want {
			t.Errorf("request: got %q, want %q", got, want)
		}
		strict := xml.NewDecoder(strings.NewReader(string(out)))
		for {
			if _, err := strict.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("encoding/xml: %v", err)
			}
		}
		var back map[string]string
		if err := json.Unmarshal(Encode(JSON, doc), &back); err != nil {
			t.Fatalf("json: %v", err)
		}
		if got, want := back["message"], strings.ToValidUTF8(message, "\ufffd"); got != want {
			t.Errorf("message: got %q, want %q", got, want)
		}
	})
}

func replaceIllegal(s string) string {
	return strings.Map(func(r rune) rune {
		legal := r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
		if legal {
			return r
		}
		return '\ufffd'
	}, s)
}
