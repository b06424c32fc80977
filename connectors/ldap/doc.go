// Package ldap drives LDAP directories: Active Directory, OpenLDAP and 389
// Directory Server, and what behaves like one of them.
package ldap
