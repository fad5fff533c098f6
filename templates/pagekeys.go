package templates

// textKeys are the texts of the pages. texts.toml of the built-in look has
// each, in English, with what it is for.
func textKeys() []string { return append(memberKeys(), deskKeys()...) }

// memberKeys are the texts of the pages that members see.
func memberKeys() []string {
	return []string{
		"lang", "dir", "footer",
		"change-title", "change-intro", "account-label", "password-label", "confirm-label",
		"policy", "policy-admin", "show", "hide", "submit",
		"strength-label", "strength-0", "strength-1", "strength-2", "strength-3", "strength-4", "strength-good",
		"refused-title",
		"reason-empty", "reason-mismatch", "reason-too-short", "reason-too-long", "reason-not-text",
		"reason-common", "reason-guessable", "reason-identity",
		"done-title", "done-text", "done-mail", "done-next", "sign-in",
		"expired-title", "expired-text", "used-title", "used-text", "unknown-title", "unknown-text",
		"other-title", "other-text", "missing-title", "missing-text", "paste-label", "paste-submit", "ask-again",
		"forgot-title", "forgot-text", "forgot-label", "forgot-submit", "forgot-empty", "forgot-invalid",
		"sent-title", "sent-text", "sent-hint", "sent-again",
		"activate-title", "activate-text", "activate-submit", "activated-title", "activated-text",
		"confirm-email-title", "confirm-email-text", "confirm-email-submit", "email-confirmed-title", "email-confirmed-text",
		"spent-title", "spent-text",
		"not-found-title", "not-found-text", "bad-title", "bad-text",
		"busy-title", "busy-text", "fault-title", "fault-text",
	}
}

// deskKeys are the texts of the help desk's pages. The built-in look has each in
// every language; a folder of templates may change them.
func deskKeys() []string {
	return []string{
		"desk-title", "desk-footer", "desk-signin-title", "desk-signin-text", "desk-password", "desk-signin-submit",
		"desk-signin-refused-title", "desk-signin-refused", "desk-signed-in", "desk-signout", "desk-search",
		"desk-search-label", "desk-search-empty", "desk-found-none", "desk-found-title", "desk-found-more", "desk-username",
		"desk-email", "desk-status", "desk-status-activated", "desk-status-unactivated", "desk-status-set-password",
		"desk-status-disabled", "desk-role", "desk-role-admin", "desk-role-api", "desk-lock", "desk-lock-none",
		"desk-lock-admin", "desk-lock-until", "desk-lock-for-good", "desk-lastlogin", "desk-lastchange", "desk-never", "desk-send-link",
		"desk-unlock", "desk-lock-submit", "desk-done-send-link", "desk-done-unlock", "desk-done-lock", "desk-done-retry",
		"desk-refused-no-email", "desk-refused-locked", "desk-refused-api-account", "desk-refused-retry", "desk-mails-title",
		"desk-mails-none", "desk-mail-reset-password-confirm", "desk-mail-change-password", "desk-mail-set-password",
		"desk-mail-activate-account", "desk-mail-confirm-email", "desk-mail-email-changed", "desk-mail-sign-in-locked", "desk-mail-state-new",
		"desk-mail-state-pending", "desk-mail-state-sending", "desk-mail-state-sent", "desk-mail-state-dead",
		"desk-mail-state-dropped", "desk-attempts", "desk-next", "desk-retry", "desk-queue-title", "desk-queue-waiting",
		"desk-queue-none", "desk-events-title", "desk-events-none", "desk-event-reset-requested",
		"desk-event-password-changed", "desk-event-change-refused", "desk-event-reset-forced", "desk-event-password-set",
		"desk-event-signed-in", "desk-event-sign-in-refused", "desk-event-signed-out", "desk-event-member-locked",
		"desk-event-member-unlocked", "desk-event-member-removed", "desk-event-member-added", "desk-event-member-activated",
		"desk-event-member-changed", "desk-event-group-changed", "desk-event-group-added", "desk-event-membership-changed",
		"desk-event-mail-retried", "desk-event-key-changed", "desk-event-site-changed", "desk-event-webhook-changed",
	}
}
