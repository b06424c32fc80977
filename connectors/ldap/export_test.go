package ldap

// Forget drops all that a directory remembers of names.
func Forget(d *Directory) {
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	d.cache.clear()
}
