package xslt

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Saxon is the setting for the renderer that this package brings along.
const Saxon = "saxon"

// saxonJar is where Debian's libsaxonhe-java puts it.
const saxonJar = "/usr/share/java/Saxon-HE.jar"

// Install tells what the built-in renderer needs.
const Install = "install a JDK and Saxon-HE (Debian: apt-get install default-jdk-headless libsaxonhe-java) and set xslt = \"saxon\""

//go:embed Renderer.java
var rendererSource []byte

// Check returns an error for people if the setting can't be used on this
// machine: [Saxon], or a command line whose words are separated by spaces.
func Check(setting string) error {
	words := strings.Fields(setting)
	if len(words) == 0 {
		return errors.New("no renderer is set")
	}
	if setting == Saxon {
		if _, err := os.Stat(saxonJar); err != nil {
			return fmt.Errorf("%s is missing: %s", saxonJar, Install)
		}
		words = []string{"java"}
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		return fmt.Errorf("there is no command %s: %s", words[0], Install)
	}
	return nil
}

// command returns the process to start and the folder to remove once it is
// ready, "" for none.
func (r *Renderer) command() (*exec.Cmd, string, error) {
	if r.setting != Saxon {
		words := strings.Fields(r.setting)
		return exec.Command(words[0], words[1:]...), "", nil
	}
	dir, err := os.MkdirTemp("", "reseed-xslt-")
	if err != nil {
		return nil, "", err
	}
	source := filepath.Join(dir, "Renderer.java")
	if err := os.WriteFile(source, rendererSource, 0o600); err != nil {
		return nil, dir, err
	}
	// The source is compiled at each start, in memory: about a second, and no
	// class file that could be older than the program.
	return exec.Command("java", "-Xmx"+strconv.Itoa(heap>>20)+"m", "-Xss4m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-XX:+ExitOnOutOfMemoryError", "-XX:+DisplayVMOutputToStderr", "-XX:-UsePerfData", "-Djava.awt.headless=true", "-Dfile.encoding=UTF-8",
		"-cp", saxonJar, source, strconv.FormatInt(timeLimit.Milliseconds(), 10), strconv.Itoa(maxOutput)), dir, nil
}
