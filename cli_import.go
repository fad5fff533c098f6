package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"

	"reseed/members"
)

// maxReported is how many bad lines are reported one by one.
const maxReported = 100

// ImportCmd is reseed member import.
type ImportCmd struct {
	File  string `arg:"" help:"CSV file, - for standard input."`
	Batch int    `default:"500" placeholder:"N" help:"Members added in one transaction, 1 to 10000."`
}

// Help explains the file and shows examples.
func (ImportCmd) Help() string {
	return "The first line names the columns, any of " + strings.Join(columnNames(), ", ") + ". " +
		"Password hashes are PHC strings of argon2id, or bcrypt; groups are ids or names, separated by ; or spaces. " +
		"A batch is added as a whole or not at all. After a bad line no further batch is added, " +
		"but all further lines that are bad in themselves are reported too.\n\n" +
		example("reseed member import members.csv", "mysql ... | reseed member import --batch 1000 -")
}

// Run imports the file and prints how many members were added.
func (c *ImportCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	if c.Batch < 1 || c.Batch > 10_000 {
		return fmt.Errorf("--batch %d: want 1 to 10000", c.Batch)
	}
	file, done, err := c.open(std)
	if err != nil {
		return err
	}
	defer done()
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	im := importer{directory: d, std: std, size: c.Batch, groups: map[string]int64{}}
	err = im.run(ctx, file)
	done()
	fmt.Fprintln(std.out, im.added)
	return err
}

// open returns the file's content, with a progress bar on a terminal, and what
// closes both.
func (c *ImportCmd) open(std *console) (io.Reader, func(), error) {
	if c.File == "-" {
		return std.in, func() {}, nil
	}
	file, err := os.Open(c.File)
	if err != nil {
		return nil, nil, err
	}
	if _, ok := terminal(std.err); !ok {
		return file, func() { _ = file.Close() }, nil
	}
	size := int64(-1)
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(std.err),
		progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription("import"))
	reader := progressbar.NewReader(file, bar)
	return &reader, func() { _, _ = bar.Finish(), file.Close() }, nil
}

// importer adds members batch by batch.
type importer struct {
	*directory
	std    *console
	size   int              // of a batch
	groups map[string]int64 // ids by name, as they are looked up
	batch  []members.NewMember
	added  int
	last   int // line of the last member that was added
	bad    int // lines
}

func (im *importer) run(ctx context.Context, r io.Reader) error {
	rows, err := newRowReader(r, im.std.now().UTC())
	if err != nil {
		return err
	}
	for {
		m, names, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			m.Groups, err = im.groupIDs(ctx, names)
		}
		var fatal *unreadable
		switch {
		case errors.As(err, &fatal):
			im.report(fatal.line, err)
			return im.end()
		case err != nil:
			im.report(m.Line, err)
		default:
			im.batch = append(im.batch, m)
		}
		if len(im.batch) >= im.size {
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

// flush adds the batch, unless a line has been bad. The error is one of the
// database; an identifier that is taken makes a line bad.
func (im *importer) flush(ctx context.Context) error {
	batch := im.batch
	im.batch = nil
	if im.bad > 0 || len(batch) == 0 {
		return ctx.Err()
	}
	_, err := im.AddMembers(ctx, batch)
	var taken *members.TakenError
	if errors.As(err, &taken) && taken.Index < len(batch) {
		im.report(batch[taken.Index].Line, taken)
		return nil
	}
	if err != nil {
		return fmt.Errorf("add members of lines %d to %d: %w%s", batch[0].Line, batch[len(batch)-1].Line, err, im.standing())
	}
	im.record(ctx, im.std, members.Event{Kind: members.MemberAdded, Detail: fmt.Sprintf("%d members imported", len(batch))})
	im.added += len(batch)
	im.last = batch[len(batch)-1].Line
	return nil
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
		fmt.Fprintf(im.std.err, "line %d: %s\n", line, strings.ReplaceAll(err.Error(), "\n", "; "))
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
		return "; nothing was added"
	}
	return fmt.Sprintf("; the members up to line %d were added, none after it", im.last)
}
