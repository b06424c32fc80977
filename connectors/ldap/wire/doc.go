// Package wire speaks the LDAPv3 protocol of RFC 4511 over one connection:
// many requests at once, told apart by message id, each under its own context,
// with the controls of every answer.
//
// Requests are appended to byte slices and answers are read in place from the
// received message, so that neither costs a tree of packets.
package wire
