package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/reseed-project/reseed/contract"
)

// ContractCmd is reseed contract.
type ContractCmd struct {
	Run    ContractRunCmd    `cmd:"" help:"Play contract cases against a server and show where its answers differ."`
	Record ContractRecordCmd `cmd:"" help:"Send the requests of a case and print it with what came back."`
}

// Help shows examples.
func (ContractCmd) Help() string {
	return example(
		"reseed contract run --target http://127.0.0.1:8080",
		"reseed contract record --target http://127.0.0.1:8080 --case new.txt",
	)
}

// ContractRunCmd is reseed contract run.
type ContractRunCmd struct {
	Target   string        `required:"" placeholder:"URL" help:"Server to ask: scheme, host and port. A test server is made fresh for each case; of others, cases that need that are not run."`
	Cases    string        `type:"existingdir" placeholder:"DIR" help:"Folder of the cases. Default: the built-in ones."`
	Set      string        `enum:"all,pageseeder,wix" default:"all" placeholder:"all|pageseeder|wix" help:"Whose services to try."`
	Match    string        `placeholder:"PATTERN" help:"Only cases of that name or folder; * stands for any text within a name."`
	Accounts string        `type:"existingfile" placeholder:"FILE" help:"Accounts of a server that is no test server, in YAML."`
	Command  string        `placeholder:"COMMAND" help:"How to call the command line of a server that is no test server, such as \"reseed --config x.toml\"; a shell reads it. Its database must be empty: the accounts of a state are made there, and stay."`
	Loose    bool          `help:"Compare XML and JSON by content, not byte for byte."`
	Timeout  time.Duration `default:"10s" placeholder:"DURATION" help:"How long the server may take for an answer."`
	JUnit    string        `name:"junit" placeholder:"FILE" help:"Write a JUnit report, too."`
	JSON     bool          `name:"json" help:"Print the report as JSON."`
}

// Help shows examples.
func (ContractRunCmd) Help() string {
	return example(
		"reseed contract run --target http://127.0.0.1:8080",
		`reseed contract run --target http://127.0.0.1:8080 --command "reseed --config staging.toml"`,
		"reseed contract run --target https://ps.example.org --set pageseeder --accounts accounts.yaml --loose --junit report.xml",
	)
}

// Run plays the cases. It fails if one fails, if one gets no answer, and if none could be run.
func (c *ContractRunCmd) Run(ctx context.Context, std *Console) error {
	folder, err := caseFolder(std, c.Cases)
	if err != nil {
		return err
	}
	all, err := contract.ReadCases(folder)
	if err != nil {
		return err
	}
	cases := contract.Select(all, c.Set, c.Match)
	if len(cases) == 0 {
		return fmt.Errorf("no case matches %q", c.Match)
	}
	player, err := newPlayer(ctx, c.Target, folder, c.Accounts, c.Timeout)
	if err != nil {
		return err
	}
	player.Loose = c.Loose
	if err := c.useCommands(player, folder); err != nil {
		return err
	}
	results := player.Run(ctx, cases, std.Now, func(r contract.Result) {
		if !c.JSON {
			r.WriteText(std.Out)
		}
	})
	if commands, ok := player.Target.(*contract.Commands); ok {
		if err := commands.Restore(ctx); err != nil {
			return err
		}
	}
	return c.report(std, results)
}

// useCommands has a command line make the accounts, if there is one.
func (c *ContractRunCmd) useCommands(player *contract.Player, folder fs.FS) error {
	if c.Command == "" {
		return nil
	}
	plain, ok := player.Target.(*contract.Plain)
	if !ok {
		return errors.New("the target is a test server, which needs no --command")
	}
	player.Target = contract.NewCommands(plain.Base, plain.Accounts, folder, c.exec)
	return nil
}

// exec runs the command line with further arguments. Passwords and keys go to
// its standard input, and what it prints is shown in no error.
func (c *ContractRunCmd) exec(ctx context.Context, stdin string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", c.Command + ` "$@"`, "sh"}, args...)...) //nolint:gosec // the caller's own command
	cmd.Stdin = strings.NewReader(stdin)
	var faults bytes.Buffer
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", c.Command, strings.Join(args[:min(2, len(args))], " "), err, bytes.TrimSpace(faults.Bytes()))
	}
	return string(out), nil
}

func (c *ContractRunCmd) report(std *Console, results []contract.Result) error {
	if c.JUnit != "" {
		if err := writeFile(c.JUnit, func(f *os.File) error { return contract.WriteJUnit(f, results) }); err != nil {
			return fmt.Errorf("write the JUnit report: %w", err)
		}
	}
	if c.JSON {
		if err := contract.WriteJSON(std.Out, results); err != nil {
			return err
		}
	}
	fmt.Fprintln(std.Err, contract.Summary(results))
	n := contract.Counts(results)
	if n[contract.Failed]+n[contract.Errored] > 0 || n[contract.Passed] == 0 {
		return exitStatus(exitFailure)
	}
	return nil
}

func writeFile(name string, write func(*os.File) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// ContractRecordCmd is reseed contract record.
type ContractRecordCmd struct {
	Target   string        `required:"" placeholder:"URL" help:"Server to ask: scheme, host and port."`
	Case     string        `required:"" type:"existingfile" placeholder:"FILE" help:"Case whose requests to send. Response sections name the headers to keep; a request without one gets one."`
	Out      string        `placeholder:"FILE" help:"Where to write the case. Default: standard output."`
	Accounts string        `type:"existingfile" placeholder:"FILE" help:"Accounts of a server that is no test server, in YAML."`
	Timeout  time.Duration `default:"10s" placeholder:"DURATION" help:"How long the server may take for an answer."`
}

// Help shows an example.
func (ContractRecordCmd) Help() string {
	return example("reseed contract record --target http://127.0.0.1:8080 --case new.txt --out recorded.txt")
}

// Run sends the requests and writes the case. Session ids and access tokens are
// written as {{session}} and {{access}}.
func (c *ContractRecordCmd) Run(ctx context.Context, std *Console) error {
	folder, err := caseFolder(std, "")
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(c.Case)
	if err != nil {
		return err
	}
	k, err := contract.ParseCase(strings.TrimSuffix(filepath.Base(c.Case), ".txt"), raw)
	if err != nil {
		return err
	}
	k.AddResponses()
	player, err := newPlayer(ctx, c.Target, folder, c.Accounts, c.Timeout)
	if err != nil {
		return err
	}
	player.Record = true
	if _, err := player.Play(ctx, k); err != nil {
		return err
	}
	if c.Out != "" {
		return os.WriteFile(c.Out, k.Bytes(), 0o600) //nolint:gosec // the file that the caller names
	}
	_, err = std.Out.Write(k.Bytes())
	return err
}

// caseFolder returns the folder of that name, or the built-in cases.
func caseFolder(std *Console, name string) (fs.FS, error) {
	if name != "" {
		return os.DirFS(name), nil
	}
	if std.Cases == nil {
		return nil, errors.New("this build holds no contract cases: name a folder with --cases")
	}
	return fs.Sub(std.Cases, "testdata/contract")
}

// newPlayer looks what kind of server the target is.
func newPlayer(ctx context.Context, target string, cases fs.FS, accounts string, timeout time.Duration) (*contract.Player, error) {
	target = strings.TrimSuffix(target, "/")
	p := &contract.Player{Transport: http.DefaultTransport, Timeout: timeout}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client := &http.Client{}
	test, err := contract.HasControl(limited, client, target)
	if err != nil {
		return nil, err
	}
	if test {
		p.Target = &contract.Control{Base: target, Cases: cases, Client: client}
		p.Always = []contract.Header{{Name: "Cache-Control", Value: "no-store"}, {Name: "X-Content-Type-Options", Value: "nosniff"}}
		return p, nil
	}
	plain := &contract.Plain{Base: target}
	if accounts != "" {
		raw, err := os.ReadFile(accounts)
		if err != nil {
			return nil, err
		}
		if plain.Accounts, err = contract.ParseAccounts(raw); err != nil {
			return nil, err
		}
	}
	p.Target = plain
	return p, nil
}
