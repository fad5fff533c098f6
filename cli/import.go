package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/wait"
)

// maxReported is how many bad lines are reported one by one.
const maxReported = 100

// ImportCmd is reseed member import.
type ImportCmd struct {
	File          string            `arg:"" help:"CSV or XML file, - for standard input."`
	Map           map[string]string `placeholder:"NAME=COLUMN" help:"What the file calls a column; may be repeated."`
	IgnoreUnknown bool              `help:"Leave out columns that are not known."`
	SkipExisting  bool              `xor:"existing" help:"Leave out members whose username or email is taken; use it to repeat an import that was interrupted."`
	Update        bool              `xor:"existing" help:"Change members who are there already, found by id, username or email, and print what changes. Values that the file doesn't have stay, and so does a password."`
	Notify        bool              `help:"Mail each member who is added a link to set a password by."`
	NotifyRate    int               `default:"300" placeholder:"N" help:"Such mails in a minute, 1 to 6000. The import waits so that no more than half an hour's mails are queued."`
	DryRun        bool              `help:"Check every line, also against the members there are, and change and mail nothing."`
	Batch         int               `default:"500" placeholder:"N" help:"Members added in one transaction, 1 to 10000."`
}

// Help explains the file and shows examples.
func (ImportCmd) Help() string {
	return "A CSV file's first line names the columns, any of " + strings.Join(columnNames(), ", ") + ", in the spellings of other programs too (E-mail, First name). " +
		"Columns are separated by commas, semicolons or tabs; the text is UTF-8 or UTF-16. NULL and \\N are no values. " +
		"Ids are kept if there is such a column. XML is the vendor's: member elements, alone, in a list or with their memberships; " +
		"it carries no passwords, so that members who were activated get the status set-password. " +
		"Password hashes are PHC strings of argon2id, or bcrypt; groups are ids or names, separated by ; or spaces. " +
		"A batch is added as a whole or not at all, with the mails to its members. After a bad line no further batch is added, " +
		"but all further lines that are bad in themselves are reported too.\n\n" +
		example("reseed member import members.csv", "reseed member import --update --dry-run members.csv", "mysql -B -e \"SELECT username, email FROM users\" app | reseed member import -")
}

// Run imports the file and prints how many members were added.
func (c *ImportCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	if c.Batch < 1 || c.Batch > 10_000 {
		return fmt.Errorf("--batch %d: want 1 to 10000", c.Batch)
	}
	if err := renames(c.Map); err != nil {
		return err
	}
	if c.NotifyRate < 1 || c.NotifyRate > 6000 {
		return fmt.Errorf("--notify-rate %d: want 1 to 6000", c.NotifyRate)
	}
	file, progress, done, err := c.open(std)
	if err != nil {
		return err
	}
	defer done()
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	im := importer{directory: d, std: std, size: c.Batch, groups: map[string]int64{}, named: map[identifier]bool{}, dry: c.DryRun, seed: maphash.MakeSeed(), seen: map[uint64]bool{}, updates: c.Update, progress: progress, pause: wait.For, smtpUTF8: cfg.SMTPUTF8}
	if c.Notify {
		if err := im.notifyBy(ctx, cfg, c); err != nil {
			return err
		}
	}
	err = im.run(ctx, file, c)
	done()
	fmt.Fprintln(std.Out, im.added)
	im.summary()
	return err
}

// summary says on standard error what the number of added members does not.
func (im *importer) summary() {
	would := ""
	if im.dry {
		would = "would be "
	}
	if im.changed > 0 {
		fmt.Fprintf(im.std.Err, "%d members %schanged\n", im.changed, would)
	}
	if im.skipped > 0 {
		fmt.Fprintf(im.std.Err, "%d members were there already and are as they were\n", im.skipped)
	}
	if im.welcomed > 0 {
		fmt.Fprintf(im.std.Err, "%d mails %squeued\n", im.welcomed, would)
	}
}

// open returns the file's content, what shows how many rows were read, and what
// closes both: a progress bar on a terminal, else a line now and then.
func (c *ImportCmd) open(std *Console) (io.Reader, func(rows int), func(), error) {
	file, size, closeFile := std.In, int64(-1), func() {}
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, nil, nil, err
		}
		file, closeFile = f, func() { _ = f.Close() }
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
	}
	if _, ok := terminal(std.Err); !ok {
		return file, rowLines(std.Err), closeFile, nil
	}
	bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(std.Err),
		progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription("0 rows"))
	reader := progressbar.NewReader(file, bar)
	return &reader, func(rows int) { bar.Describe(fmt.Sprintf("%d rows", rows)) }, func() { _ = bar.Finish(); closeFile() }, nil
}

// rowsALine is after how many rows a line says so if there is no terminal.
const rowsALine = 10_000

// rowLines writes a line each rowsALine rows, for logs.
func rowLines(w io.Writer) func(rows int) {
	said := 0
	return func(rows int) {
		if rows/rowsALine > said {
			said = rows / rowsALine
			fmt.Fprintf(w, "%d rows\n", said*rowsALine)
		}
	}
}

// importer adds members batch by batch.
type importer struct {
	*directory
	std     *Console
	size    int              // of a batch
	groups  map[string]int64 // ids by name, as they are looked up
	batch   members.ImportBatch
	named   map[identifier]bool // what the batch's members are found by
	shown   []string            // what the batch changes, line by line
	rows    int                 // that were read
	added   int
	changed int
	last    int // line of the last member that was added or changed
	bad     int // lines
	skipped int // members that were there already
	dry     bool
	seed    maphash.Seed
	seen    map[uint64]bool // hashes of the identifiers of a dry run's lines
	updates bool            // members who are there already are changed

	smtpUTF8 bool // addresses may have letters beyond ASCII before the @

	progress func(rows int)
	links    *members.Service // what makes the mails to those who are added; nil: none
	pace     members.Pace
	welcomed int
	pause    func(context.Context, time.Duration) error
}

func (im *importer) run(ctx context.Context, r io.Reader, c *ImportCmd) error {
	next, err := im.source(ctx, r, c)
	if err != nil {
		return err
	}
	for {
		m, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		var fatal *unreadable
		switch {
		case errors.As(err, &fatal):
			im.report(fatal.line, err)
			return im.end()
		case err != nil:
			im.report(m.Line, err)
		default:
			if err := im.take(ctx, m, c); err != nil {
				return err
			}
		}
		im.rows++
		im.progress(im.rows)
		if len(im.batch.Add)+len(im.batch.Change) >= im.size {
			if err := im.flush(ctx); err != nil {
				return err
			}
		}
	}
	if err := im.flush(ctx); err != nil {
		return err
	}
	return im.end()
}

// source returns what reads the next member with the groups to join: from XML
// if the file starts with a tag, else from CSV.
func (im *importer) source(ctx context.Context, r io.Reader, c *ImportCmd) (func() (members.NewMember, error), error) {
	buffered := bufio.NewReader(r)
	start, err := buffered.Peek(64)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	if bytes.HasPrefix(bytes.TrimLeft(start, "\ufeff \t\r\n"), []byte("<")) {
		document, err := newXMLReader(buffered, im.std.Now().UTC())
		if err != nil {
			return nil, err
		}
		document.smtpUTF8 = im.smtpUTF8
		return func() (members.NewMember, error) {
			m, joined, err := document.next()
			if err == nil {
				m.Memberships, err = im.memberships(ctx, joined)
			}
			return m, err
		}, nil
	}
	rows, err := newRowReader(buffered, im.std.Now().UTC(), c.Map, c.IgnoreUnknown)
	if err != nil {
		return nil, err
	}
	rows.update, rows.smtpUTF8 = c.Update, im.smtpUTF8
	return func() (members.NewMember, error) {
		m, names, err := rows.next()
		if err == nil {
			m.Groups, err = im.groupIDs(ctx, names)
		}
		return m, err
	}, nil
}

// memberships looks up the groups that memberships name.
func (im *importer) memberships(ctx context.Context, joined []members.Membership) ([]members.Membership, error) {
	for i := range joined {
		ids, err := im.groupIDs(ctx, []string{joined[i].Group.Name})
		if err != nil {
			return nil, err
		}
		joined[i].Group.ID = ids[0]
	}
	return joined, nil
}

// take puts a member into the batch, unless it is there already and such are
// skipped. The error is one of the database.
func (im *importer) take(ctx context.Context, m members.NewMember, c *ImportCmd) error {
	switch {
	case c.SkipExisting || c.Update:
	case im.dry:
		return im.try(ctx, m)
	default:
		im.batch.Add = append(im.batch.Add, m)
		return nil
	}
	names := identifiers(m.Member)
	if slices.ContainsFunc(names, func(n identifier) bool { return im.named[n] }) {
		if err := im.flush(ctx); err != nil { // which the line comes after
			return err
		}
	}
	found, err := im.existing(ctx, m, c.Update)
	if taken := (*severalError)(nil); errors.As(err, &taken) {
		im.report(m.Line, taken)
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the member of line %d: %w%s", m.Line, err, im.standing())
	}
	switch {
	case found.Zero() && m.Username == "" && m.Email == "":
		im.report(m.Line, fmt.Errorf("there is no member %d, and no username or email to add one by", m.ID))
	case found.Zero():
		im.batch.Add = append(im.batch.Add, m)
		im.name(names)
	case c.SkipExisting:
		im.skipped++
	default:
		im.name(append(names, identifiers(found)...))
		return im.update(ctx, found, m)
	}
	return nil
}

// name notes what a member of the batch is found by.
func (im *importer) name(names []identifier) {
	for _, n := range names {
		im.named[n] = true
	}
}

// identifier is one of the things a member is found by.
type identifier struct {
	kind string
	members.Lookup
}

// identifiers are what the member is found by, as they compare.
func identifiers(m members.Member) (list []identifier) {
	if m.ID != 0 {
		list = append(list, identifier{"id", members.Lookup{ID: m.ID}})
	}
	if m.Username != "" {
		list = append(list, identifier{"username", members.Lookup{Username: fold.ASCII(m.Username)}})
	}
	if m.Email != "" {
		list = append(list, identifier{"email", members.Lookup{Email: fold.ASCII(m.Email)}})
	}
	return list
}

// try puts a member into the batch of a dry run, unless an identifier is taken by
// somebody or by an earlier line, which nothing but the database would tell else.
// The error is one of the database.
func (im *importer) try(ctx context.Context, m members.NewMember) error {
	for _, n := range identifiers(m.Member) {
		key := maphash.Comparable(im.seed, n)
		found, err := im.FindMember(ctx, n.Lookup)
		if err != nil {
			return fmt.Errorf("find the member of line %d: %w", m.Line, err)
		}
		if im.seen[key] || !found.Member.Zero() {
			im.report(m.Line, &members.TakenError{Field: n.kind})
			return nil
		}
		im.seen[key] = true
	}
	im.batch.Add = append(im.batch.Add, m)
	return nil
}

// flush makes the batch's changes, unless a line has been bad. The error is one of
// the database; an identifier that is taken makes a line bad.
func (im *importer) flush(ctx context.Context) error {
	batch, shown := im.batch, im.shown
	im.batch, im.named, im.shown = members.ImportBatch{}, map[identifier]bool{}, nil
	if im.bad > 0 || len(batch.Add)+len(batch.Change) == 0 {
		return ctx.Err()
	}
	if im.dry {
		im.done(batch, shown)
		return ctx.Err()
	}
	if err := im.welcome(ctx, &batch); err != nil {
		return err
	}
	first, last := lines(batch)
	_, err := im.Import(ctx, batch)
	var taken *members.TakenError
	if errors.As(err, &taken) && taken.Index < len(batch.Add)+len(batch.Change) {
		im.report(lineOf(batch, taken.Index), taken)
		return nil
	}
	if err != nil {
		return fmt.Errorf("import the members of lines %d to %d: %w%s", first, last, err, im.standing())
	}
	if len(batch.Add) > 0 {
		im.record(ctx, im.std, members.Event{Kind: members.MemberAdded, Detail: fmt.Sprintf("%d members imported", len(batch.Add))})
	}
	for _, u := range batch.Change {
		im.record(ctx, im.std, members.Event{Kind: members.MemberChanged, MemberID: u.MemberID, Detail: "import"})
	}
	im.done(batch, shown)
	im.last = last
	return nil
}

// done counts what a batch did, and prints what it changed.
func (im *importer) done(batch members.ImportBatch, shown []string) {
	for _, line := range shown {
		fmt.Fprintln(im.std.Err, line)
	}
	im.added += len(batch.Add)
	im.changed += len(batch.Change)
	if im.links == nil {
		return
	}
	for _, m := range batch.Add {
		if members.Welcomes(m.Member) {
			im.welcomed++
		}
	}
}

// lines returns the first and the last line of a batch.
func lines(b members.ImportBatch) (first, last int) {
	for i := range len(b.Add) + len(b.Change) {
		line := lineOf(b, i)
		if first == 0 || line < first {
			first = line
		}
		last = max(last, line)
	}
	return first, last
}

// lineOf returns the line of a batch's member: of those that are added, then of
// those that are changed.
func lineOf(b members.ImportBatch, index int) int {
	if index < len(b.Add) {
		return b.Add[index].Line
	}
	return b.Change[index-len(b.Add)].Line
}

// groupIDs looks each group up once.
func (im *importer) groupIDs(ctx context.Context, names []string) ([]int64, error) {
	var ids []int64
	for _, name := range names {
		if _, known := im.groups[name]; !known {
			g, err := im.group(ctx, name)
			if err != nil {
				return nil, err
			}
			im.groups[name] = g.ID
		}
		ids = append(ids, im.groups[name])
	}
	return ids, nil
}

func (im *importer) report(line int, err error) {
	im.bad++
	if im.bad <= maxReported {
		fmt.Fprintf(im.std.Err, "line %d: %s\n", line, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// end returns what the caller has to know where lines were bad.
func (im *importer) end() error {
	if im.bad == 0 {
		return nil
	}
	return fmt.Errorf("%d bad lines%s", im.bad, im.standing())
}

func (im *importer) standing() string {
	if im.last == 0 {
		return "; nothing was " + im.doneWord()
	}
	return fmt.Sprintf("; the members up to line %d were %s, none after it", im.last, im.doneWord())
}

// doneWord says what becomes of members.
func (im *importer) doneWord() string {
	if im.updates {
		return "added or changed"
	}
	return "added"
}
