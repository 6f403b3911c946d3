// Package shown prepares texts for people to read and to paste. Such a text may
// come from etcd, from another member, or from a file or a socket of the service
// user, and root may read it at a terminal:
//
//   - [Text] takes out of it what controls a terminal, and passwords in URLs;
//   - [Copy] does that to every string in a value, so that a new field cannot
//     be forgotten;
//   - [Quoted] makes it one word of a shell command;
//   - [Fold] fits it into a terminal.
//
// Texts are treated where they are written and again where they are read: the
// reader cannot trust the writer.
package shown
