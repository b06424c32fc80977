package ldap

// Forget drops all that a directory remembers of names.
func Forget(d *Directory) {
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	d.cache.clear()
}

// Shorten makes a Modify with more than so many bytes of values too long.
func Shorten(d *Directory, longest int) {
	f := *d.facts.Load()
	f.longest = longest
	d.facts.Store(&f)
}
