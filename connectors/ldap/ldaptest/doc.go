// Package ldaptest runs real directory servers for tests and benchmarks:
// OpenLDAP's slapd, 389 Directory Server and a Samba Active Directory domain
// controller, each on loopback in a throw-away folder.
//
//	server := ldaptest.Start(t, ldaptest.OpenLDAP)
//	conn, err := server.Dial(server.ServiceDN, server.ServicePassword)
//
// A server that is missing, or that does not start, skips the test; with CI=true
// or POSTERN_SERVERS=require it fails it. [Install] gets what is missing.
//
// Every server belongs to the process that started it and dies with it, however
// that ends. Ports, addresses and the cached templates are locked across
// processes, so packages may be tested in parallel.
//
// # What the servers do
//
// Measured on slapd 2.5.13, 389-ds 2.3.1 and Samba 4.17.12; the tests of this
// package hold the codes below.
//
// A groupOfNames needs a member (RFC 4519, section 3.5). As a placeholder slapd takes
// any DN. The empty one has no side effect. One of no entry is as good. The
// group's own DN leaves a stale memberOf after a rename of the group, and a DN
// of an entry gives that entry a memberOf. Taking the last member out is 65,
// with the placeholder added in the same modify it is 0. Where a deleted
// entry was the last member, the refint overlay puts [Server.Nobody] in its
// place some milliseconds later; beside a placeholder it does not. 389-DS and
// Active Directory have empty groups.
//
// Members in one modify, which is all or nothing on each server:
//
//	                                   slapd  389-DS  Samba
//	add an existing and a new one       20     20     68
//	add one new value twice             20     20      0, stored twice
//	delete a missing and a present one  16     16     53
//	add a new one, delete a missing     16     16     53
//	delete v, add v; v is present        0      0      0
//	delete v, add v; v is missing       16     16     53
//	add a DN of no entry                 0      0     32
//	replace with none                   65      0      0
//
// With permissive modify (1.2.840.113556.1.4.1413) slapd answers 0 to the first
// and the third and does what is left, but still 16 where every value to
// delete is missing; 389-DS ignores it, Samba honours it but for members.
//
// Resolving 5,000 names with filters of n terms, in milliseconds:
//
//	                                  n = 1     50    200    500  1,000
//	slapd   (entryDN=...)               800    122    149    177    306
//	slapd   (entryUUID=...)             815    107    133    202    281
//	389-DS  (entrydn=...)             3,944    650  1,434  3,144  5,988
//	389-DS  (nsUniqueId=...)          1,082    361    908  1,746  3,413
//	389-DS  (uid=...) below people      830    287    667  1,445  2,843
//	Samba   (distinguishedName=...)   1,380    367    779  1,912  3,159
//	Samba   (objectGUID=...)          1,776    185    230    252    396
//
// A filter of many terms costs 389-DS, and Samba for names, the square of their
// number; 20 to 50 terms suit all three. A base search for each name, 32 at a
// time on one connection, took 269 ms on slapd, 251 on 389-DS, 547 on Samba.
package ldaptest
