// Package xslt renders mail templates that are XSLT 2.0 stylesheets, as
// PageSeeder's are, with a resident process that waits for work: Saxon-HE needs
// seconds to start and milliseconds to render.
//
// The process reads frames from its standard input and answers on its standard
// output. A frame is one byte for its kind, four bytes for a number, four bytes
// for the length of what follows (both big-endian), and that many bytes:
//
//	to the process    F  a file of the templates folder: its path, a zero byte, its content; not answered
//	                  T  render: the path of a stylesheet, a zero byte, the notification's XML
//	from the process  R  ready, sent once, number 0
//	                  O  the output, in UTF-8, with the number of its T
//	                  E  a message for people, with the number of its T
//
// The process gets every file of the folder in frames, so that it needs none of
// the disk: what a stylesheet names is found among these or not at all. It has
// no environment. It ends when its input does.
package xslt
