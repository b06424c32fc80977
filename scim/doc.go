// Package scim is the SCIM 2.0 protocol without any I/O: schemas, typed values
// and resources, paths, filters, PATCH, versions, errors and their JSON (RFC
// 7643, RFC 7644).
//
// Names are resolved once, where text comes in: a parsed path, filter or patch
// holds pointers into the schema, and nothing further in compares names.
package scim
