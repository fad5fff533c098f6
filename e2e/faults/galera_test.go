package faults

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store"
)

// galeraLibrary is where Debian's package galera-4 puts it.
const galeraLibrary = "/usr/lib/galera/libgalera_smm.so"

// node is a member of a Galera cluster on this machine.
type node struct {
	t       testing.TB
	dir     string
	ports   [4]int // of clients, the group, incremental and whole state transfers
	cluster string
	db      *sql.DB
	proc    *child
}

// startLimit is what a node may take to join, on a busy machine: it copies the
// data of another one.
const startLimit = 4 * time.Minute

// newCluster starts three nodes as the user mysql, and waits until they are one.
func newCluster(t testing.TB) []*node {
	t.Helper()
	needs(t, "mariadbd", "mariadb-install-db", "rsync", galeraLibrary)
	nodes := make([]*node, 3)
	var group []string
	for i := range nodes {
		n := &node{t: t}
		for p := range n.ports {
			_, port, _ := strings.Cut(freeAddr(t), ":")
			n.ports[p], _ = strconv.Atoi(port)
		}
		group = append(group, fmt.Sprintf("127.0.0.1:%d", n.ports[1]))
		nodes[i] = n
	}
	for i, n := range nodes {
		n.cluster = "gcomm://" + strings.Join(group, ",")
		n.folder()
		if i == 0 {
			n.install()
			n.start("--wsrep-new-cluster")
		} else {
			n.start() // on nothing: it copies all
		}
		n.synced()
	}
	return nodes
}

// folder makes the node's folder, which belongs to mysql if this is root.
func (n *node) folder() {
	n.t.Helper()
	dir, err := os.MkdirTemp("", "reseed-galera-")
	if err != nil {
		n.t.Fatal(err)
	}
	n.dir = dir
	n.t.Cleanup(func() {
		if n.t.Failed() {
			n.t.Logf("log of the node in %s:\n%s", dir, tail(filepath.Join(dir, "log"), 30))
		}
		n.kill()
		os.RemoveAll(dir)
	})
	n.chown(dir)
	if err := os.Mkdir(dir+"/data", 0o700); err != nil {
		n.t.Fatal(err)
	}
	n.chown(dir + "/data")
	if n.db, err = sql.Open("mysql", "root@unix("+dir+"/s)/"); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { n.db.Close() })
}

// install makes the data of a new server.
func (n *node) install() {
	n.t.Helper()
	cmd := exec.Command(installed("mariadb-install-db"), append(n.common(), "--auth-root-authentication-method=normal", "--skip-test-db")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Fatalf("install: %v\n%s", err, out)
	}
}

func (n *node) chown(path string) {
	if os.Getuid() != 0 {
		return
	}
	u, err := user.Lookup("mysql")
	if err != nil {
		n.t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(path, uid, gid); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) common() []string {
	args := []string{"--no-defaults", "--datadir=" + n.dir + "/data", "--tmpdir=" + n.dir, "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"}
	if os.Getuid() == 0 {
		args = append(args, "--user=mysql")
	}
	return args
}

// start starts the node; it may not be part of the cluster yet.
func (n *node) start(more ...string) {
	n.t.Helper()
	options := fmt.Sprintf("gmcast.listen_addr=tcp://127.0.0.1:%d;ist.recv_addr=127.0.0.1:%d;gcache.size=32M;pc.wait_prim_timeout=PT%dS",
		n.ports[1], n.ports[2], int(startLimit.Seconds()))
	args := append(n.common(),
		"--socket="+n.dir+"/s", "--pid-file="+n.dir+"/pid", "--log-error="+n.dir+"/log",
		"--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", n.ports[0]),
		"--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--innodb-flush-log-at-trx-commit=2",
		"--wsrep-on=ON", "--wsrep-provider="+galeraLibrary, "--wsrep-cluster-name=faulttest",
		"--wsrep-cluster-address="+n.cluster, fmt.Sprintf("--wsrep-node-address=127.0.0.1:%d", n.ports[1]),
		fmt.Sprintf("--wsrep-node-incoming-address=127.0.0.1:%d", n.ports[0]),
		"--wsrep-sst-method=rsync", fmt.Sprintf("--wsrep-sst-receive-address=127.0.0.1:%d", n.ports[3]),
		"--wsrep-provider-options="+options,
	)
	n.proc = startChild(n.t, exec.Command(installed("mariadbd"), append(args, more...)...))
}

// synced waits until the node takes part in all that the cluster does.
func (n *node) synced() {
	n.t.Helper()
	eventually(n.t, startLimit, "the node is synced", func() bool {
		if n.proc.gone() {
			n.t.Fatalf("the node ended:\n%s", tail(n.dir+"/log", 30))
		}
		var name, state string
		err := n.db.QueryRow(`SHOW STATUS LIKE 'wsrep_local_state_comment'`).Scan(&name, &state)
		return err == nil && state == "Synced"
	})
}

func (n *node) kill() {
	if n.proc != nil {
		n.proc.kill()
		n.proc = nil
	}
}

func (n *node) dsn(database string) string {
	return fmt.Sprintf("root@tcp(127.0.0.1:%d)/%s", n.ports[0], database)
}

// TestGaleraNodeKilled has two servers work with different nodes of a cluster,
// under load, while nodes are killed and brought back. The server of a node
// that is away answers 503; the other one goes on.
func TestGaleraNodeKilled(t *testing.T) {
	t.Parallel()
	kills := knob(t, "GALERA_KILLS", 1, 20)
	nodes := newCluster(t)
	if _, err := nodes[0].db.Exec("CREATE DATABASE reset"); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: t.TempDir(), box: newMailbox(t), dsn: nodes[0].dsn("reset")}
	s.makeKey()
	s.openDB(nodes[2].dsn("reset") + "?wsrep_sync_wait=7") // sees what the other nodes have done
	s.add()
	s.add().dsn = nodes[1].dsn("reset")
	members := 400 * (1 + kills)
	s.populate(members)
	for _, r := range s.servers {
		r.startReady()
	}
	l := s.startLoad(members, 4)
	var longest, back time.Duration
	for i := range kills {
		pause(t, rand.N(time.Second))
		n := nodes[i%3]
		s.note("database")
		n.kill()
		longest = max(longest, s.answersAgain(2*time.Minute))
		began := time.Now()
		n.start()
		n.synced()
		s.recovery(2 * time.Minute)
		s.back()
		back = max(back, time.Since(began))
	}
	l.stop()
	s.drain(3 * time.Minute)
	fig := s.check(l)
	if fig.Answered < kills {
		t.Errorf("too little happened: %+v", fig)
	}
	t.Logf("%+v, some server answers again after at most %v, all after the node's start within %v, statuses %v",
		fig, longest.Round(time.Millisecond), back.Round(time.Millisecond), l.statuses)
	l.onlyStatuses(200, 503)
}

// TestGaleraMigratesOnce has a program at each node of a cluster find the same
// empty database at once: one of them migrates it, and the others wait.
func TestGaleraMigratesOnce(t *testing.T) {
	t.Parallel()
	nodes := newCluster(t)
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	for round := range knob(t, "GALERA_MIGRATIONS", rounds, 50) {
		name := fmt.Sprintf("round%d", round)
		if _, err := nodes[0].db.Exec("CREATE DATABASE " + name); err != nil {
			t.Fatal(err)
		}
		start := make(chan struct{})
		var all sync.WaitGroup
		for i, n := range nodes {
			n.knows(name)
			s, err := store.Open(t.Context(), store.Config{DSN: n.dsn(name), Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			all.Go(func() {
				<-start
				if err := s.Migrate(t.Context()); err != nil {
					t.Errorf("at node %d: %v", i, err)
				}
			})
		}
		close(start)
		all.Wait()
		var rows, versions int
		err := nodes[0].db.QueryRow("SELECT COUNT(*), COUNT(DISTINCT version_id) FROM "+name+".reseed_schema").Scan(&rows, &versions)
		if err != nil || rows != versions || versions < 2 {
			t.Errorf("%d versions, applied %d times: %v", versions, rows, err)
		}
	}
}

// knows waits until the node has heard of a database.
func (n *node) knows(database string) {
	n.t.Helper()
	eventually(n.t, time.Minute, "the node knows the database", func() bool {
		var name string
		return n.db.QueryRow("SHOW DATABASES LIKE '"+database+"'").Scan(&name) == nil
	})
}

// answersAgain waits until one server at least takes requests.
func (s *site) answersAgain(limit time.Duration) time.Duration {
	s.t.Helper()
	client := newClient(limit)
	next := 0
	return eventually(s.t, limit, "some server takes requests", func() bool {
		next++
		status, _, err := ask(client, s.servers[next%len(s.servers)].url, "nobody@example.org")
		return err == nil && status == 200
	})
}
