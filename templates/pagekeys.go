package templates

// textKeys are the texts of the pages. texts.toml of the built-in look has
// each, in English, with what it is for.
func textKeys() []string {
	return []string{
		"lang", "dir", "footer",
		"change-title", "change-intro", "account-label", "password-label", "confirm-label",
		"policy", "policy-admin", "show", "hide", "submit",
		"strength-label", "strength-0", "strength-1", "strength-2", "strength-3", "strength-4", "strength-good",
		"refused-title", "refused-hint",
		"reason-empty", "reason-mismatch", "reason-too-short", "reason-too-long", "reason-not-text",
		"reason-common", "reason-guessable", "reason-identity",
		"done-title", "done-text", "done-mail", "done-next",
		"expired-title", "expired-text", "used-title", "used-text", "unknown-title", "unknown-text",
		"other-title", "other-text", "missing-title", "missing-text", "paste-label", "paste-submit", "ask-again",
		"forgot-title", "forgot-text", "forgot-label", "forgot-submit", "forgot-empty", "forgot-invalid",
		"sent-title", "sent-text", "sent-hint", "sent-again",
		"not-found-title", "not-found-text", "bad-title", "bad-text",
		"busy-title", "busy-text", "fault-title", "fault-text",
	}
}
