package scim

// A Version is the opaque part of a resource's entity tag.
type Version string

// String returns the version as a weak entity tag (RFC 9110 §8.8.3): W/"...".
func (v Version) String() string { return `W/"` + string(v) + `"` }
