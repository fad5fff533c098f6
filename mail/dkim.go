package mail

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// DKIM signs messages (RFC 6376) for the domains that it has a key of.
type DKIM struct {
	keys map[string]dkimKey // by domain, lower case
}

type dkimKey struct {
	selector string
	signer   crypto.Signer
}

const (
	dkimInfix    = "._domainkey."
	dkimSuffix   = ".pem"
	dkimSelector = "reseed" // of keys that NewDKIMKey makes
	dkimBits     = 2048     // the longest that a TXT record and all verifiers take
)

// signedFields are the fields that a signature covers; those that a message
// doesn't have are covered too, so that none can be added (RFC 6376 5.4).
var signedFields = []string{"From", "To", "Subject", "Date", "Message-ID", "Reply-To", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}

// LoadDKIM reads the keys of a folder: files named SELECTOR._domainkey.DOMAIN.pem,
// PKCS #8, RSA or Ed25519. A folder that isn't there has none.
func LoadDKIM(folder string) (*DKIM, error) {
	d := &DKIM{keys: map[string]dkimKey{}}
	files, err := filepath.Glob(filepath.Join(folder, "*"+dkimInfix+"*"+dkimSuffix))
	if err != nil {
		return nil, fmt.Errorf("DKIM keys: %w", err)
	}
	for _, file := range files {
		selector, domain, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), dkimSuffix), dkimInfix)
		signer, err := readDKIMKey(file)
		if err != nil {
			return nil, fmt.Errorf("DKIM key %s: %w", file, err)
		}
		d.keys[strings.ToLower(ASCIIDomain(domain))] = dkimKey{selector, signer}
	}
	return d, nil
}

func readDKIMKey(file string) (crypto.Signer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("not a PEM file")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("not a PKCS #8 private key")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("not a key that signs")
	}
	return signer, nil
}

// NewDKIMKey makes a key for a domain in the folder, unless there is one, and
// returns the name and the text of the TXT record that publishes it.
func NewDKIMKey(folder, domain string, random io.Reader) (name, record string, err error) {
	if domain = ASCIIDomain(domain); !validDomain(domain, 1) {
		return "", "", fmt.Errorf("%q is no domain", domain)
	}
	name = dkimSelector + dkimInfix + strings.ToLower(domain)
	file := filepath.Join(folder, name+dkimSuffix)
	signer, err := readDKIMKey(file)
	if errors.Is(err, fs.ErrNotExist) {
		signer, err = writeDKIMKey(file, random)
	}
	if err != nil {
		return "", "", fmt.Errorf("DKIM key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return "", "", fmt.Errorf("DKIM key: %w", err)
	}
	return name, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public), nil
}

func writeDKIMKey(file string, random io.Reader) (crypto.Signer, error) {
	key, err := rsa.GenerateKey(random, dkimBits)
	if err != nil {
		return nil, err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return key, errors.Join(pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: raw}), f.Sync(), f.Close())
}

// Unsigned reports whether there are keys, but none for the domain of an address.
func (d *DKIM) Unsigned(address string) bool {
	if d == nil || len(d.keys) == 0 {
		return false
	}
	_, domain, _ := strings.Cut(address, "@")
	_, signed := d.keys[strings.ToLower(domain)]
	return !signed
}

// Sign puts a signature before a message from an address of the domain; without
// a key it returns the message as it is.
func (d *DKIM) Sign(domain string, message []byte) ([]byte, error) {
	if d == nil {
		return message, nil
	}
	key, ok := d.keys[strings.ToLower(domain)]
	if !ok {
		return message, nil
	}
	var signed bytes.Buffer
	err := dkim.Sign(&signed, bytes.NewReader(message), &dkim.SignOptions{
		Domain: domain, Selector: key.selector, Signer: key.signer, HeaderKeys: signedFields,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		return nil, fmt.Errorf("sign message: %w", err)
	}
	return signed.Bytes(), nil
}
