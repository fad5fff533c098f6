package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
)

// confusables are pairs that some collation or Unicode folding joins. They are
// different identifiers (PAR-3, PAR-4).
var confusables = [][2]string{
	{"mike", "m\u0131ke"}, {"mike", "m\u0130ke"}, {"MIKE", "m\u0131ke"}, {"sam", "\u017fam"}, {"kim", "\u212aim"},
	{"strasse", "stra\u00dfe"}, {"strase", "stra\u00dfe"}, {"rene", "ren\u00e9"}, {"ren\u00e9", "rene\u0301"},
	{"ren\u00e9", "REN\u00c9"}, {"ann", "ann "}, {"ann", " ann"}, {"ann", "ann\t"}, {"ann", "ann\u00a0"},
	{"ann", "ann\u200b"}, {"ann", "ann\u00ad"}, {"ann", "\ufeffann"}, {"ann", "a\u200dnn"}, {"off", "o\ufb00"},
	{"fish", "\ufb01sh"}, {"adam", "\u0430dam"}, {"eve", "\u0435ve"}, {"oscar", "\u03bfscar"}, {"peter", "\u0440eter"},
	{"\u00e5sa", "a\u030asa"}, {"asa", "\u00e5sa"}, {"\u212b", "\u00e5"}, {"omega", "\u03a9mega"}, {"\u03c3", "\u03c2"},
	{"\u03c3", "\u03a3"}, {"ab", "\uff41\uff42"}, {"AB", "\uff21\uff22"}, {"x1", "x\u00b9"}, {"x2", "x\u2461"},
	{"ae", "\u00e6"}, {"oe", "\u0153"}, {"dj", "\u01c6"}, {"lo", "\u0142o"}, {"no", "\u00f1o"}, {"uber", "\u00fcber"},
	{"n\u0303", "\u00f1"}, {"\u1e9e", "\u00df"}, {"a-b", "a\u2010b"}, {"a.b", "a\uff0eb"}, {"i\u0307", "\u0130"},
}

func TestConfusablesAreDifferentIdentifiers(t *testing.T) {
	both(t, checkConfusables)
}

// The same holds whatever collation the server, the database and the connection
// have by default (PAR-3).
func TestConfusablesUnderEveryCollation(t *testing.T) {
	server := mariadbtest.Start(t)
	for _, collation := range []string{"utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_uca1400_ai_ci", "latin1_swedish_ci", "utf8mb3_general_ci"} {
		t.Run(collation, func(t *testing.T) {
			dsn := server.NewDatabase(t)
			name := dsn[strings.LastIndex(dsn, "/")+1:]
			set, _, _ := strings.Cut(collation, "_")
			if _, err := server.Admin().ExecContext(t.Context(), "ALTER DATABASE "+name+" CHARACTER SET "+set+" COLLATE "+collation); err != nil {
				t.Fatal(err)
			}
			checkConfusables(t, newEnv(t, store.Config{DSN: dsn + "?charset=" + set + "&collation=" + collation}))
		})
	}
}

func checkConfusables(t *testing.T, e *env) {
	if len(confusables) < 40 {
		t.Fatalf("%d pairs", len(confusables))
	}
	for i, pair := range confusables {
		// One pair at a time, so that only its own partner could be found.
		tag := "-" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + "-"
		first := e.member(tag+pair[0], tag+pair[0])
		expectNoMember(t, e, members.Lookup{Username: tag + pair[1]})
		expectNoMember(t, e, members.Lookup{Email: tag + pair[1]})
		second := e.member(tag+pair[1], tag+pair[1])
		if first.ID == second.ID || e.get(second.ID).Username != tag+pair[1] {
			t.Errorf("%q and %q are one member", pair[0], pair[1])
		}
	}
}

// The difference is at the end, where PAD SPACE collations do not look.
func TestTrailingSpaceIsPartOfAnIdentifier(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		e.member("ann", "a@b.c")
		for _, tail := range []string{" ", "  ", "\t", "\x00", "\u00a0"} {
			expectNoMember(t, e, members.Lookup{Username: "ann" + tail})
			expectNoMember(t, e, members.Lookup{Email: "a@b.c" + tail})
		}
	})
}

func expectNoMember(t *testing.T, e *env, l members.Lookup) {
	t.Helper()
	if f := must(e.FindMember(t.Context(), l))(t); !f.Member.Zero() {
		t.Errorf("%+v found member %q", l, f.Member.Username)
	}
}

func TestIdentifiersAreUniqueAfterFolding(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		e.member("Anna", "Anna@Example.org")
		for field, m := range map[string]members.Member{
			"username": {Username: "aNNA", Email: "other@example.org"},
			"email":    {Username: "other", Email: "anna@example.ORG"},
		} {
			m.Status = members.Activated
			_, err := e.AddMembers(t.Context(), []members.NewMember{{Member: m}})
			var taken *members.TakenError
			if !errors.As(err, &taken) || taken.Field != field {
				t.Errorf("%s: error %v", field, err)
			}
		}
	})
}
