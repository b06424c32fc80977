package wire

// AppendMove appends a ModifyDNRequest that puts the entry under another parent.
// deleteOld takes the values of the old RDN away.
func AppendMove(b []byte, dn, newRDN string, deleteOld bool, newSuperior string) []byte {
	b, op := Begin(b, opModifyDN)
	b = AppendString(b, TagOctetString, dn)
	b = AppendString(b, TagOctetString, newRDN)
	b = AppendBool(b, TagBoolean, deleteOld)
	b = AppendString(b, tagNewSuperior, newSuperior)
	return End(b, op)
}
