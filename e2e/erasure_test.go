package e2e

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// canaries are what is known of a member; no other text of the program has them.
func canaries() []string { return []string{"Zwingelspan", "Quopperly", "xylofantic", "wumbledore"} }

// TestErasure has a member leave traces everywhere, removes it, and looks for its
// names in every table, in SQLite's files byte by byte, and in the log. What the
// docs say stays, and nothing else, is found: mails captured as files.
func TestErasure(t *testing.T) {
	inFullOnBoth(t, emptyDSN, func(t *testing.T, dsn string) {
		folder, server := t.TempDir(), freePort(t)
		data := filepath.Join(folder, "data")
		env := append(os.Environ(), "RESEED_DATA="+data, "RESEED_LISTEN="+server, "RESEED_DATABASE="+dsn,
			"RESEED_LOG_LEVEL=debug", "RESEED_CLIENT_RATE=0", "RESEED_MIN_BAD_LOGINS=50", "RESEED_MAX_BAD_LOGINS=50")
		if dsn != "" {
			env = append(env, "RESEED_KEY_FILE="+keyFile(t))
		}
		mustRun(t, env, "member", "add", "--username", "witness", "--email", "witness@example.org")
		mustRun(t, env, "webhook", "add", "http://127.0.0.1:1/", "--allow-private")
		list := filepath.Join(folder, "members.csv")
		if err := os.WriteFile(list, []byte("username,email,firstname,surname\nxylofantic,wumbledore@example.org,Zwingelspan,Quopperly\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		lines, stop := startWithLog(t, env)
		mustRun(t, env, "member", "import", list)
		base := "http://" + server
		for _, form := range []string{"email=wumbledore@example.org", "username=xylofantic", "email=witness@example.org"} {
			values, err := url.ParseQuery(form)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := http.PostForm(base+"/members/resetpassword", values); err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: %v", form, err)
			}
		}
		for _, name := range []string{"xylofantic", "wumbledore@example.org", "XYLOFANTIC"} {
			resp, err := http.PostForm(base+"/ps/service/authenticate", url.Values{"action": {"login"}, "username": {name}, "password": {"Quopperly-wrong"}})
			if err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusUnauthorized {
				t.Fatalf("%s: %v", name, err)
			}
		}
		eventually(t, 30*time.Second, func() (bool, string) {
			mails, _ := filepath.Glob(filepath.Join(data, "mail", "*.eml"))
			events := mustRun(t, env, "events", "list", "--member", "xylofantic")
			return len(mails) == 2 && strings.Count(events, "sign-in-refused") == 3, fmt.Sprintf("%d mails, events:\n%s", len(mails), events)
		})
		if found := inTables(t, dsn, data); len(found) == 0 {
			t.Fatal("the search finds nothing while the member is there")
		}

		mustRun(t, env, "member", "remove", "xylofantic", "--yes")
		time.Sleep(500 * time.Millisecond) // nothing that was under way writes it again
		stop()
		if found := inTables(t, dsn, data); len(found) > 0 {
			t.Errorf("left in the database: %v", found)
		}
		for line := range lines {
			for _, name := range canaries() {
				if strings.Contains(strings.ToLower(line), strings.ToLower(name)) {
					t.Errorf("left in the log: %s", line)
				}
			}
		}
		var files []string
		err := filepath.WalkDir(data, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if slices.ContainsFunc(canaries(), func(n string) bool { return bytes.Contains(bytes.ToLower(text), []byte(strings.ToLower(n))) }) {
				files = append(files, filepath.Ext(path))
			}
			return err
		})
		if err != nil || !slices.Equal(files, []string{".eml"}) {
			t.Errorf("left in files: %v, %v; want the captured mail", files, err)
		}
	})
}

// inTables returns where any text of the database holds one of the names.
func inTables(t *testing.T, dsn, data string) (found []string) {
	t.Helper()
	db, tables := openTables(t, dsn, data)
	defer db.Close()
	for _, table := range tables {
		found = append(found, inTable(t, db, table)...)
	}
	return found
}

func inTable(t *testing.T, db *sql.DB, table string) (found []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]sql.RawBytes, len(columns))
	dest := make([]any, len(columns))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		for i, value := range values {
			for _, name := range canaries() {
				if bytes.Contains(bytes.ToLower(value), []byte(strings.ToLower(name))) {
					found = append(found, table+"."+columns[i])
				}
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// openTables opens the database, past the program, and names its tables.
func openTables(t *testing.T, dsn, data string) (*sql.DB, []string) {
	t.Helper()
	driver, source, query := "mysql", dsn, "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
	if dsn == "" {
		driver, source = "sqlite", "file:"+filepath.Join(data, "reseed.db")+"?_pragma=busy_timeout(10000)&_pragma=query_only(1)"
		query = "SELECT name FROM sqlite_master WHERE type = 'table'"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, table)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(tables) < 10 {
		t.Fatalf("%d tables: the test looks in the wrong place", len(tables))
	}
	return db, tables
}
