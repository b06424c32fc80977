// Package rest drives an application with a JSON interface of its own making, as
// the configuration declares it: how to list, find, read, create, change and
// delete, and where in the answers things are.
//
// An attribute is a JSON Pointer (RFC 6901) into an object of the application,
// an anchor is the value of the pointer that the collection names.
//
// Escaping is by construction. A Template is parsed once into segments and query
// parameters; a value can only ever fill one of them, and no value reaches
// another path, adds a parameter or a header, or goes to another host.
//
// An application has no transactions. What becomes of several calls that are one
// change is said at collection.Apply.
package rest
