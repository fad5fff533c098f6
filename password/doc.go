// Package password holds what is secret about a member: the hashes of
// passwords, the rules that a new password must meet, and the tokens that
// open the way to setting one.
//
// The same characters are the same password, whichever system they are typed
// on: see Normalise. Every other character counts, spaces and NUL among them,
// and nothing is folded or trimmed. Hashes that other systems made of the bytes
// as they came are still verified, and replaced. Only the policy's comparisons
// (common passwords, username, email) fold A-Z.
//
// The hashes made here are argon2id. Others can be imported, and are replaced
// when their member next signs in:
//
//   - bcrypt: $2a$, $2b$, $2y$, and $2x$ of early crypt_blowfish
//   - PBKDF2: passlib's $pbkdf2$, $pbkdf2-sha256$ and $pbkdf2-sha512$, into which
//     Keycloak's values fit; Django's pbkdf2_sha256$; ASP.NET Identity version 3
//   - scrypt: $scrypt$ (PHC), and Firebase's as $fbscrypt$ with its signer key
//   - salted digests: {SMD5}, {SSHA}, {SSHA256}, {SSHA512}, and md5$, sha1$,
//     sha256$, sha512$ as Django writes them
//   - phpass: $P$ and $H$
//
// More than 72 bytes never match a bcrypt hash, since bcrypt looks at the first
// 72 only.
package password

// MaxBytes is the longest password that is looked at. Longer ones are refused
// before any work is done for them.
const MaxBytes = 1024
