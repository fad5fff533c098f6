// Package mail turns orders to send a mail into mails that were sent.
//
// A [Message] knows its MIME bytes; a [Sender] hands them on, over SMTP or into
// a folder; an [Error] says whose fault a failure is; a [Worker] takes orders
// from a [Queue], has them composed and sends them until each is sent, dropped
// or dead with a reason.
//
// Delivery is at least once. A mail is sent twice only if the connection, the
// process or the database fails between the server's taking it and the record of
// that; both copies are the same bytes with the same Message-ID.
package mail
