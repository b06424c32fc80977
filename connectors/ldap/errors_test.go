package ldap

import (
	"context"
	"errors"
	"strings"
	"testing"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// TestRefused has the words of real servers: OpenLDAP 2.5, 389-DS 2.3, Samba
// 4.17, and of Active Directory as its error codes are documented.
func TestRefused(t *testing.T) {
	f := &facts{schema: &schema{matching: map[connectors.Attr]connectors.Matching{"sn": {}, "cn": {}, "uid": {}, "mail": {}, "displayname": {}, "userprincipalname": {}, "samaccountname": {}}}}
	person := operation{name: "add", naming: "cn", attrs: []connectors.Attr{"cn", "uid", "mail", "displayName", "userPrincipalName", "unicodePwd"}}
	plain := operation{name: "modify", attrs: []connectors.Attr{"mail", "displayName"}}
	tests := []struct {
		op   operation
		code int
		text string
		kind connectors.Kind
		attr connectors.Attr
	}{
		{person, 68, "", connectors.Exists, "cn"},
		{person, 68, "Entry CN=uni1,OU=probe,DC=corp,DC=example,DC=com already exists", connectors.Exists, "cn"},
		{person, 68, "00002071: samldb: samAccountName 'uni1' already in use!", connectors.Exists, "sAMAccountName"},
		{person, 68, "00002071: samldb: sAMAccountName 'uni1' is already in use (implied by userPrincipalName)", connectors.Exists, "userPrincipalName"},
		{person, 68, "00000524: UpdErr: DSID-031A11FA, problem 6005 (ENTRY_EXISTS), data 0", connectors.Exists, "sAMAccountName"},
		{person, 19, "0000202F: samldb: userPrincipalName 'UNI@corp.example.com' is already in use", connectors.Exists, "userPrincipalName"},
		{person, 19, "000021C8: AtrErr: DSID-03200EA4, #1:\n0: 000021C8: DSID-03200EA4, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 90290 (userPrincipalName)", connectors.Exists, "userPrincipalName"},
		{person, 19, "non-unique attributes found with (|(uid=user00001))", connectors.Exists, "uid"},
		{person, 19, "some attributes not unique", connectors.Exists, ""},
		{person, 19, `Another entry with the same attribute value already exists (attribute: "uid ")`, connectors.Exists, "uid"},
		{person, 19, "0000052D: Constraint violation - check_password_restrictions: the password is too short. It should be equal or longer than 7 characters!", connectors.Invalid, "unicodePwd"},
		{person, 53, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0", connectors.Invalid, "unicodePwd"},
		{person, 53, "0000001F: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0", connectors.Denied, "unicodePwd"},
		{person, 13, "Operation requires a secure connection.\n", connectors.Denied, "unicodePwd"},
		{plain, 53, "0000052D: SvcErr", connectors.Denied, ""},
		{operation{name: "modify", attrs: []connectors.Attr{"userAccountControl"}}, 53, "0000052D: SvcErr", connectors.Invalid, "userAccountControl"},
		{plain, 19, "attribute 'displayName' cannot have multiple values", connectors.Invalid, "displayName"},
		{plain, 65, `single-valued attribute "displayName" has multiple values`, connectors.Invalid, "displayName"},
		{plain, 65, "object class 'inetOrgPerson' requires attribute 'sn'", connectors.Invalid, "sn"},
		{plain, 65, `missing attribute "sn" required by object class "person"`, connectors.Invalid, "sn"},
		{plain, 17, "nopeNope: attribute type undefined", connectors.Invalid, ""},
		{plain, 21, "mail: value #0 invalid per syntax", connectors.Invalid, "mail"},
		{plain, 16, "modify/delete: mail: no such value", connectors.GuardFailed, ""},
		{plain, 16, "acl_modify: attribute 'mail' on entry 'CN=ex1,OU=probe' was not found in the schema!", connectors.Invalid, "mail"},
		{plain, 122, "", connectors.GuardFailed, ""},
		{plain, 32, "", connectors.NotFound, ""},
		{plain, 50, "", connectors.Denied, ""},
		{plain, 51, "", connectors.Unavailable, ""},
		{plain, 52, "", connectors.Unavailable, ""},
		{plain, 10, "", connectors.Unavailable, ""},
		{plain, 3, "", connectors.Timeout, ""},
		{plain, 4, "", connectors.TooMany, ""},
		{plain, 11, "", connectors.TooMany, ""},
		{plain, 12, "", connectors.Unsupported, ""},
		{plain, 80, "", connectors.Internal, ""},
		{plain, 4711, "", connectors.Internal, ""},
	}
	for _, tc := range tests {
		e := f.refused(tc.op, wire.Result{Code: tc.code, Text: tc.text})
		if e.Kind != tc.kind || e.Attr != tc.attr {
			t.Errorf("%d %q is %v of %q, want %v of %q", tc.code, tc.text, e.Kind, e.Attr, tc.kind, tc.attr)
		}
		if strings.ContainsAny(e.Reason, `="`) || strings.Contains(e.Reason, "user00001") || tc.text != "" && !strings.Contains(e.Error(), "result code") {
			t.Errorf("%d %q: reason %q, all of it %q", tc.code, tc.text, e.Reason, e.Error())
		}
	}
}

func TestFailure(t *testing.T) {
	tests := []struct {
		err    error
		wrote  bool
		kind   connectors.Kind
		unsent bool
	}{
		{&wire.Error{Unsent: true, Broken: true, Err: errNoServer}, true, connectors.Unavailable, true},
		{&wire.Error{Unsent: true, Err: context.DeadlineExceeded}, true, connectors.Unavailable, true},
		{&wire.Error{Broken: true, Err: errors.New("cut")}, false, connectors.Unavailable, false},
		{&wire.Error{Broken: true, Err: errors.New("cut")}, true, connectors.Timeout, false},
		{&wire.Error{Err: context.DeadlineExceeded}, false, connectors.Timeout, false},
		{&connectors.Error{Kind: connectors.Denied}, true, connectors.Denied, false},
		{errors.New("other"), true, connectors.Internal, false},
	}
	for _, tc := range tests {
		if e := failure(tc.err, tc.wrote); e.Kind != tc.kind || e.Unsent != tc.unsent {
			t.Errorf("%v, writing %v: %v, unsent %v", tc.err, tc.wrote, e.Kind, e.Unsent)
		}
	}
}
