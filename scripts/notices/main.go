// Command notices writes what must go along with the binary: the notices of the
// modules that are linked into it, and a bill of materials in CycloneDX 1.6.
//
//	go run ./scripts/notices [-out FOLDER] [-version VERSION]
//
// It fails if a module has no licence file.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	out := flag.String("out", "dist", "folder to write to")
	version := flag.String("version", "devel", "version of the program")
	flag.Parse()
	if err := run(*out, *version); err != nil {
		log.Fatal(err)
	}
}

func run(out, version string) error {
	list, err := linked(".")
	if err != nil {
		return err
	}
	text, err := notices(list)
	if err != nil {
		return err
	}
	own, err := os.ReadFile("password/NOTICE")
	if err != nil {
		return err
	}
	bill, err := json.MarshalIndent(billOf(list, version), "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	text = append(append([]byte("List of common passwords\n\n"), own...), text...)
	return errors.Join(
		os.WriteFile(filepath.Join(out, "THIRD-PARTY-NOTICES.txt"), text, 0o644),
		os.WriteFile(filepath.Join(out, "sbom.cdx.json"), append(bill, '\n'), 0o644))
}

// module is a module that is linked.
type module struct{ Path, Version, Dir string }

// linked returns the modules of a package's dependencies, by path, and the
// standard library as one of them.
func linked(pkg string) ([]module, error) {
	out, err := exec.Command("go", "list", "-deps", "-f", `{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}`, pkg).Output()
	if err != nil {
		return nil, fmt.Errorf("list modules: %w", err)
	}
	root, err := exec.Command("go", "env", "GOVERSION", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("find Go: %w", err)
	}
	std := strings.Fields(string(root))
	list := []module{{"std", strings.TrimPrefix(std[0], "go"), std[1]}}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 3 {
			list = append(list, module{f[0], f[1], f[2]})
		}
	}
	slices.SortFunc(list, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return slices.Compact(list), nil
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|unlicense)([.-].*)?$`)

// notices returns the licences and notices of the modules, one after the other.
func notices(list []module) ([]byte, error) {
	var b bytes.Buffer
	for _, m := range list {
		texts, err := m.texts()
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "\n%s\n%s %s\n\n%s", strings.Repeat("-", 78), m.Path, m.Version, texts)
	}
	return b.Bytes(), nil
}

// texts returns what the files of a module say about its licence. An error
// stands for none.
func (m module) texts() ([]byte, error) {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return nil, err
	}
	var texts []byte
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, e.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(append(texts, bytes.TrimSpace(text)...), "\n\n"...)
	}
	if texts == nil {
		return nil, fmt.Errorf("%s %s has no licence file", m.Path, m.Version)
	}
	return texts, nil
}

// component is a part of a CycloneDX document.
type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl,omitempty"`
}

func billOf(list []module, version string) any {
	components := make([]component, 0, len(list))
	for _, m := range list {
		components = append(components, component{"library", m.Path, m.Version, "pkg:golang/" + m.Path + "@" + m.Version})
	}
	return map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
		"metadata":   map[string]any{"component": component{Type: "application", Name: "reseed", Version: version}},
		"components": components,
	}
}
