package mapping

// restless are attributes, in lower case, that directories change whenever
// somebody signs in or fails to, or with every write: a version of them would
// make conditional writes fail for nothing.
var restless = map[string]bool{
	// Active Directory
	"lastlogon": true, "lastlogontimestamp": true, "lastlogoff": true, "logoncount": true, "badpwdcount": true, "badpasswordtime": true,
	"lockouttime": true, "whenchanged": true, "usnchanged": true,
	// OpenLDAP: ppolicy, lastbind
	"pwdfailuretime": true, "pwdgraceusetime": true, "pwdlastsuccess": true, "authtimestamp": true, "entrycsn": true,
	// 389-DS
	"passwordretrycount": true, "retrycountresettime": true, "accountunlocktime": true, "lastlogintime": true, "entryusn": true,
	// all
	"modifytimestamp": true,
}
