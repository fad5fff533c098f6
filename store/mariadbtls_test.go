package store

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// selfSigned writes a certificate of an authority of its own for this
// machine, and its key, and returns the files.
func selfSigned(t *testing.T, name string) (cert, key string) {
	t.Helper()
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4zero},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &pair.PublicKey, pair)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// With a MariaDB that has TLS, and takes nothing else, the link is encrypted by
// default; a certificate that nobody vouches for, or of a wrong authority, is
// refused with the cure, and a link in clear by the server.
func TestLinkToMariaDBIsEncrypted(t *testing.T) {
	cert, key := selfSigned(t, "right")
	wrong, _ := selfSigned(t, "wrong")
	server := mariadbtest.Launch(t, mariadbtest.Options{Networking: true, Args: []string{
		"--ssl-cert=" + cert, "--ssl-key=" + key, "--ssl-ca=" + cert, "--require-secure-transport=ON",
	}})
	name := server.NewDatabase(t)
	name = name[strings.LastIndex(name, "/"):]
	// An address that leads here, but is not known to be this machine.
	address := "mysql://root@0.0.0.0:" + strconv.Itoa(server.Port()) + name
	ping := func(query string) (cipher string, err error) {
		s, err := Open(t.Context(), Config{DSN: address + query, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Ping(t.Context()); err != nil {
			return "", err
		}
		return cipher, s.read.QueryRowContext(t.Context(), "SHOW STATUS LIKE 'Ssl_cipher'").Scan(new(string), &cipher)
	}
	if cipher, err := ping("?tls-ca=" + cert); err != nil || cipher == "" {
		t.Errorf("by default: cipher %q, %v", cipher, err)
	}
	for query, want := range map[string]string{
		"":                 "not trusted: end the address in ?tls-ca=FILE",
		"?tls-ca=" + wrong: "not trusted: end the address in ?tls-ca=FILE",
		"?tls=false":       "",
	} {
		if _, err := ping(query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", query, err, want)
		}
	}
}
