// Package connectors holds the words in which the gateway speaks to what is
// behind it: entries, conditions, changes, guards, capabilities and errors, and
// the Connector contract that every driver keeps.
//
// The package knows neither SCIM nor the mapping. A driver knows neither of
// them either: it is told attribute names and values and gives attribute names
// and values back.
package connectors
