package password

import (
	"fmt"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// BenchmarkHash sets what is made here beside what is imported.
func BenchmarkHash(b *testing.B) {
	b.Run("argon2id", func(b *testing.B) {
		h, err := NewHasher(Config{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h.Hash(b.Context(), "correct horse battery staple"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bcrypt-10", func(b *testing.B) {
		for b.Loop() {
			if _, err := bcrypt.GenerateFromPassword([]byte("correct horse battery staple"), 10); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPolicyCheck(b *testing.B) {
	p := newPolicy(b, PolicyConfig{})
	passwords := append([]string{"password1", "Vincent1987!", "correct horse battery staple"}, adversarial()[:5]...)
	for i, password := range passwords {
		b.Run(fmt.Sprintf("password-%d", i), func(b *testing.B) {
			for b.Loop() {
				_ = p.Check(password, vega)
			}
		})
	}
}

func BenchmarkPolicyFirstCheck(b *testing.B) {
	for b.Loop() {
		_ = newPolicy(b, PolicyConfig{}).Check("password1", vega)
	}
}

func BenchmarkToken(b *testing.B) {
	for b.Loop() {
		HashToken(testKeys.Token(Reset, testID, 12))
	}
}
