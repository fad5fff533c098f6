//go:build ignore

// This program makes common.txt.gz, the list of common passwords, from the npm
// package that NOTICE names:
//
//	npm pack @zxcvbn-ts/language-common@4.1.3
//	go run gen_common.go
//
// It reads the package's src/passwords.json, folds A-Z, drops doubles, and
// writes the rest sorted by bytes. The package is removed when done with.
package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"
)

const (
	tarball = "zxcvbn-ts-language-common-4.1.3.tgz"
	digest  = "g2bg4skmlJG9aJqC/nWziZzgYpSe/f3rKeGobrkdFiOrfZVFqqzUgC6BUQWuX54Sua9j0Jxxt+1bf4f/Mal1Kg==" // SHA-512
	member  = "package/src/passwords.json"
	output  = "common.txt.gz"
)

func main() {
	log.SetFlags(0)
	words, err := read()
	if err != nil {
		log.Fatal(err)
	}
	words = normalise(words)
	if err := write(words); err != nil {
		log.Fatal(err)
	}
	if err := os.Remove(tarball); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d passwords\n", output, len(words))
}

func read() ([]string, error) {
	packed, err := os.ReadFile(tarball)
	if err != nil {
		return nil, err
	}
	if sum := sha512.Sum512(packed); base64.StdEncoding.EncodeToString(sum[:]) != digest {
		return nil, errors.New("not the package that NOTICE names")
	}
	z, err := gzip.NewReader(strings.NewReader(string(packed)))
	if err != nil {
		return nil, err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err != nil {
			return nil, fmt.Errorf("look for %s: %w", member, err)
		}
		if h.Name == member {
			var words []string
			err := json.NewDecoder(t).Decode(&words)
			return words, err
		}
	}
}

func normalise(words []string) []string {
	fold := func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}
	kept := make([]string, 0, len(words))
	for _, w := range words {
		if w != "" && !strings.Contains(w, "\n") {
			kept = append(kept, strings.Map(fold, w))
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

func write(words []string) error {
	f, err := os.Create(output)
	if err != nil {
		return err
	}
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, err = io.WriteString(z, strings.Join(words, "\n")+"\n")
	return errors.Join(err, z.Close(), f.Close())
}
