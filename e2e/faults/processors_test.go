package faults

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// arrangement says on which processor the site runs and on which the rest; ""
// is any.
type arrangement struct{ site, rest string }

// apart gives the site a processor of its own, as if the load came from
// another machine. This process, with the mail server, moves to the rest.
func apart(t *testing.T) arrangement {
	t.Helper()
	if _, err := exec.LookPath("taskset"); err != nil || runtime.NumCPU() < 2 {
		t.Skip("needs taskset and two processors")
	}
	all := fmt.Sprintf("0-%d", runtime.NumCPU()-1)
	a := arrangement{site: "0", rest: "1"}
	move(t, a.rest, os.Getpid())
	t.Cleanup(func() { move(t, all, os.Getpid()) })
	return a
}

// move has all threads of a process run on the processors.
func move(t *testing.T, processors string, pid int) {
	t.Helper()
	if out, err := exec.Command("taskset", "-a", "-c", "-p", processors, strconv.Itoa(pid)).CombinedOutput(); err != nil {
		t.Fatalf("move to processor %s: %v\n%s", processors, err, out)
	}
}

// onProcessor is what runs a program on a processor; nothing for any.
func onProcessor(processor string) []string {
	if processor == "" {
		return nil
	}
	return []string{"taskset", "-c", processor}
}

// pidOf returns the database server's process.
func pidOf(t *testing.T, server *mariadbtest.Server) int {
	t.Helper()
	var file string
	if err := server.Admin().QueryRow("SELECT @@pid_file").Scan(&file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
