// Package servertest runs real servers for tests: it installs Debian's packages of
// them, finds free ports, makes folders that are cleared away even after a kill,
// and starts processes that never outlive the test. What a server is, the packages
// beside the connectors know: ldaptest and redminetest.
package servertest
