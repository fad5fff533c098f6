package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// How long "reseed serve" takes from its start to its first answer, in an empty
// folder and in one that it was used in before, and its resident memory then
// (VmRSS). The floor, in the same run, is a start of "reseed version".
func BenchmarkStart(b *testing.B) {
	program := programPath(b)
	used := b.TempDir()
	firstAnswer(b, program, used)
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			if err := exec.CommandContext(b.Context(), program, "version").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, name := range []string{"empty", "used"} {
		b.Run(name, func(b *testing.B) {
			memory := 0
			for b.Loop() {
				folder := used
				if name == "empty" {
					folder = b.TempDir()
				}
				memory = firstAnswer(b, program, folder)
			}
			b.ReportMetric(float64(memory)/1024, "MiB-resident")
		})
	}
}

// firstAnswer starts a server, waits for its first answer, and returns its resident memory in KiB.
func firstAnswer(b *testing.B, program, folder string) int {
	b.Helper()
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	cmd := exec.CommandContext(b.Context(), program, "serve", "--data", folder, "--listen", addr)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	for range 10_000 {
		resp, err := http.PostForm("http://"+addr+"/members/resetpassword", map[string][]string{"email": {"nobody@example.org"}})
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return residentMemory(b, cmd.Process.Pid)
			}
		}
		<-time.After(time.Millisecond)
	}
	b.Fatal("no answer")
	return 0
}

func residentMemory(b *testing.B, pid int) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip("no /proc here")
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return n
}
