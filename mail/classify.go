package mail

import (
	"slices"
	"strings"
)

// A fault may be the mailbox's or the message's, so that this order alone is
// dead; the recipient's system's, so that it is tried again; or ours, so that no
// mail would get through. subjects tells them apart by subject and detail of the
// status (RFC 3463), since servers answer faults of sender, client and greeting
// at any stage: Postfix does at RCPT, by default. The longest entry that fits counts.
var subjects = []struct {
	subject string // of a permanent failure, 5.X or 5.X.X
	class   Class
	stages  []Stage // if it says so; nil: everywhere
}{
	{"5.1", Permanent, nil},   // the recipient's address
	{"5.1.7", OurFault, nil},  // the sender's address: its syntax,
	{"5.1.8", OurFault, nil},  // its system
	{"5.2", Permanent, nil},   // the mailbox
	{"5.2.2", Temporary, nil}, // it is full, and will be emptied
	{"5.3", Temporary, nil},   // the recipient's system
	{"5.3.4", Permanent, nil}, // the message is too big for it
	{"5.4", Permanent, nil},   // no way to it
	{"5.4.5", Temporary, nil}, // it is congested
	{"5.5", OurFault, nil},    // our commands
	{"5.5.0", Permanent, []Stage{StageRcpt, StageData, StageDot}}, // used for want of a better one
	{"5.6", Permanent, nil},               // the message's content
	{"5.7", OurFault, nil},                // we may not
	{"5.7", Permanent, []Stage{StageDot}}, // this message may not
}

// codes are the same for replies without a status.
var codes = []struct {
	code   int
	class  Class
	stages []Stage
}{
	{500, OurFault, nil}, {501, OurFault, []Stage{StageMail}}, {502, OurFault, nil}, {503, OurFault, nil},
	{504, OurFault, nil}, {530, OurFault, nil}, {534, OurFault, nil}, {535, OurFault, nil}, {538, OurFault, nil},
	{552, Temporary, []Stage{StageRcpt}}, // the mailbox is full
	{552, Permanent, []Stage{StageMail}}, // the message is too big
}

// classifyReply gives the class of a refusal. Before MAIL it is ours, whatever
// it says; a sender refused at MAIL is ours too, as all mails have the same one.
func classifyReply(stage Stage, rep reply) Class {
	switch {
	case classify(stage) == OurFault:
		return OurFault
	case rep.code == 530 || rep.code == 534 || rep.code == 535 || rep.code == 538: // RFC 4954 6, RFC 3207 4
		return OurFault
	case rep.code < 500 || rep.code > 599:
		return Temporary
	}
	if class, ok := bySubject(stage, rep); ok {
		return class
	}
	for _, c := range codes {
		if c.code == rep.code && at(c.stages, stage) {
			return c.class
		}
	}
	if stage == StageMail {
		return OurFault
	}
	return Permanent
}

// bySubject looks the reply's status up. At MAIL few are about the message. Where
// we may not, the words tell the recipient's rules from those for us: only they
// name the recipient.
func bySubject(stage Stage, rep reply) (Class, bool) {
	status := rep.enhanced()
	aboutMessage := status == "5.3.4" || status == "5.6.7" // its size, its address beyond ASCII
	if !strings.HasPrefix(status, "5.") || stage == StageMail && !aboutMessage {
		return 0, false
	}
	if strings.HasPrefix(status, "5.7") && strings.Contains(strings.ToLower(rep.text()), "recipient address rejected") {
		return Permanent, true
	}
	best, found := "", Class(0)
	for _, s := range subjects {
		if within(status, s.subject) && at(s.stages, stage) && len(s.subject) >= len(best) {
			best, found = s.subject, s.class
		}
	}
	return found, best != ""
}

// within reports whether a status is a subject, or one of its details.
func within(status, subject string) bool {
	return status == subject || strings.HasPrefix(status, subject+".")
}

func at(stages []Stage, stage Stage) bool { return stages == nil || slices.Contains(stages, stage) }
