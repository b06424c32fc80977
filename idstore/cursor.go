package idstore

// Cursor returns what SetCursor kept under a name, or "".
func Cursor(tx Tx, name string) (string, error) {
	value, err := tx.Get(TableMeta, []byte(metaCursor+name))
	return string(value), err
}

// SetCursor keeps how far one has come in following something outside, under a name of at most 255 bytes. It is no part of an
// export: another store begins anew.
func SetCursor(tx Tx, name, cursor string) error {
	if cursor == "" {
		return tx.Delete(TableMeta, []byte(metaCursor+name))
	}
	if err := checkText("a cursor", cursor); err != nil {
		return err
	}
	return tx.Put(TableMeta, []byte(metaCursor+name), []byte(cursor))
}
