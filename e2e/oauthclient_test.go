package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// An OAuth client library that form-encodes Basic credentials (RFC 6749, 2.3.1)
// gets its tokens, also with an id and a secret that look otherwise encoded, and
// refreshes them.
func TestOAuthBasicCredentialsAreFormEncoded(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn})
		srv := httptest.NewServer(site.Handler)
		defer srv.Close()
		const id, secret = "Site+client/id=.01_-", "a%2Bb+c/d e:f=g&h-i_j"
		client := members.Client{
			ID: id, Name: "Site", Secret: password.HashToken(secret), Member: members.Member{ID: site.ids["ann"]},
			Grants: []members.Grant{members.PasswordGrant, members.RefreshGrant},
		}
		if err := site.Store.AddClient(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, srv.Client())
		for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
			own := clientcredentials.Config{ClientID: id, ClientSecret: secret, TokenURL: srv.URL + "/ps/oauth/token", AuthStyle: style}
			if token, err := own.Token(ctx); err != nil || token.Extra("id_token") == nil {
				t.Errorf("style %d: %v", style, err)
			}
			as := oauth2.Config{ClientID: id, ClientSecret: secret, Endpoint: oauth2.Endpoint{TokenURL: srv.URL + "/ps/oauth/token", AuthStyle: style}}
			token, err := as.PasswordCredentialsToken(ctx, "bob", "old-Bridge-34-crane")
			if err != nil || token.RefreshToken == "" {
				t.Fatalf("style %d: %v", style, err)
			}
			again, err := as.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
			if err != nil || again.RefreshToken == token.RefreshToken {
				t.Errorf("style %d: %v", style, err)
			}
		}
	})
}

// A second, independent client library, which also checks the id token's claims,
// gets its tokens by all three grants, with credentials in the header and in the
// form; a wrong secret is what it takes for one.
func TestOAuthWithASecondClientLibrary(t *testing.T) {
	t.Parallel()
	folder := installSDK(t)
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, realTime: true})
		srv := httptest.NewServer(site.Handler)
		defer srv.Close()
		const id, secret = "Site+client/id=.01_-", "a%2Bb+c/d e:f=g&h-i_j"
		client := members.Client{
			ID: id, Name: "Site", Secret: password.HashToken(secret), Member: members.Member{ID: site.ids["ann"]},
			Grants: []members.Grant{members.PasswordGrant, members.RefreshGrant},
		}
		if err := site.Store.AddClient(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		in, err := json.Marshal(map[string]string{
			"url": srv.URL + "/ps/oauth/token", "issuer": site.Config.HostURL, "id": id, "secret": secret,
			"username": "bob", "password": "old-Bridge-34-crane",
		})
		if err != nil {
			t.Fatal(err)
		}
		node := exec.CommandContext(t.Context(), "node", "oauth.mjs")
		node.Dir, node.Stdin, node.Stderr = folder, bytes.NewReader(in), t.Output()
		out, err := node.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		type given struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
			ID      string `json:"id_token"`
		}
		answers := json.NewDecoder(bytes.NewReader(out))
		for _, style := range []string{"header", "form"} {
			var got struct {
				Own, Signed, Again given
				Subject            string
				Wrong              struct {
					Status, Challenges int
					Error              string
				}
			}
			if err := answers.Decode(&got); err != nil {
				t.Fatal(err)
			}
			if got.Own.Access == "" || got.Own.ID == "" || got.Own.Refresh != "" {
				t.Errorf("%s: own credentials: %+v", style, got.Own)
			}
			if got.Signed.Refresh == "" || got.Again.Refresh == "" || got.Again.Refresh == got.Signed.Refresh {
				t.Errorf("%s: password and refresh: %+v %+v", style, got.Signed, got.Again)
			}
			if got.Subject != strconv.FormatInt(site.ids["bob"], 10) {
				t.Errorf("%s: the id token is %q's", style, got.Subject)
			}
			if got.Wrong.Status != 401 || got.Wrong.Challenges == 0 && got.Wrong.Error != "invalid_client" {
				t.Errorf("%s: a wrong secret: %+v", style, got.Wrong)
			}
		}
	})
}
