package demodir

import (
	"fmt"
	"strings"
)

// Company returns the entries of a small company that does not exist, under
// DefaultSuffix: its people in ou=people, each under a manager but the first,
// and its groups in ou=groups. Names, numbers and addresses are made up; the
// telephone numbers are from ranges kept for fiction.
func Company() []Entry {
	entries := []Entry{
		{DefaultSuffix, []Attribute{
			{"objectClass", []string{"domain"}},
			{"dc", []string{"example"}},
			{"o", []string{"Larkspur Instruments"}},
			{"description", []string{"Makers of field microscopes"}},
		}},
		unit("people"),
		unit("groups"),
	}
	for i, p := range staff() {
		entries = append(entries, p.entry(i))
	}
	for _, g := range []struct{ name, description, uids string }{
		{"All Staff", "Everyone at Larkspur Instruments", ""},
		{"Leadership", "Heads of departments", "ada.lindqvist bruno.okafor chiara.moretti dmitri.volkov elena.ruiz"},
		{"Engineering", "Optics, electronics and software", "bruno.okafor farid.haddad greta.nilsson hugo.tanaka ines.carvalho jonas.weber keiko.sato liam.oconnor"},
		{"Sales, Europe", "Customers from Lisbon to Tallinn", "chiara.moretti mei.chen noah.dubois olga.petrova pablo.serrano"},
		{"Operations", "Workshop, stores and shipping", "dmitri.volkov quinn.baker rosa.jimenez samir.patel tove.ostergaard ursula.klein"},
		{"People and Finance", "Hiring, payroll and the books", "elena.ruiz viktor.horvat wanda.nowak xavier.roux"},
	} {
		group := Entry{"cn=" + strings.ReplaceAll(g.name, ",", `\,`) + ",ou=groups," + DefaultSuffix, []Attribute{
			{"objectClass", []string{"groupOfNames"}},
			{"cn", []string{g.name}},
			{"description", []string{g.description}},
		}}
		uids := strings.Fields(g.uids)
		if g.uids == "" {
			for _, p := range staff() {
				uids = append(uids, p.uid)
			}
		}
		members := make([]string, len(uids))
		for i, uid := range uids {
			members[i] = personDN(uid)
		}
		group.Attributes = append(group.Attributes, Attribute{"member", members})
		entries = append(entries, group)
	}
	return entries
}

func unit(name string) Entry {
	return Entry{"ou=" + name + "," + DefaultSuffix, []Attribute{
		{"objectClass", []string{"organizationalUnit"}},
		{"ou", []string{name}},
	}}
}

func personDN(uid string) string { return "uid=" + uid + ",ou=people," + DefaultSuffix }

// employee is one of the staff.
type employee struct{ uid, given, family, title, department, city, language, manager string }

func staff() []employee {
	return []employee{
		{"ada.lindqvist", "Ada", "Lindqvist", "Managing Director", "Leadership", "Stockholm", "sv", ""},
		{"bruno.okafor", "Bruno", "Okafor", "Head of Engineering", "Engineering", "Bristol", "en", "ada.lindqvist"},
		{"chiara.moretti", "Chiara", "Moretti", "Head of Sales", "Sales", "Milan", "it", "ada.lindqvist"},
		{"dmitri.volkov", "Dmitri", "Volkov", "Head of Operations", "Operations", "Tallinn", "et", "ada.lindqvist"},
		{"elena.ruiz", "Elena", "Ruiz", "Head of People and Finance", "People and Finance", "Madrid", "es", "ada.lindqvist"},
		{"farid.haddad", "Farid", "Haddad", "Optics Lead", "Engineering", "Bristol", "en", "bruno.okafor"},
		{"greta.nilsson", "Greta", "Nilsson", "Software Lead", "Engineering", "Stockholm", "sv", "bruno.okafor"},
		{"hugo.tanaka", "Hugo", "Tanaka", "Electronics Engineer", "Engineering", "Bristol", "en", "bruno.okafor"},
		{"ines.carvalho", "Inês", "Carvalho", "Optical Designer", "Engineering", "Lisbon", "pt", "farid.haddad"},
		{"jonas.weber", "Jonas", "Weber", "Firmware Engineer", "Engineering", "Leipzig", "de", "greta.nilsson"},
		{"keiko.sato", "Keiko", "Sato", "Software Engineer", "Engineering", "Stockholm", "en", "greta.nilsson"},
		{"liam.oconnor", "Liam", "O'Connor", "Test Engineer", "Engineering", "Cork", "en", "greta.nilsson"},
		{"mei.chen", "Mei", "Chen", "Key Account Manager", "Sales", "Milan", "en", "chiara.moretti"},
		{"noah.dubois", "Noah", "Dubois", "Account Manager", "Sales", "Lyon", "fr", "chiara.moretti"},
		{"olga.petrova", "Olga", "Petrova", "Account Manager", "Sales", "Tallinn", "et", "chiara.moretti"},
		{"pablo.serrano", "Pablo", "Serrano", "Customer Support", "Sales", "Madrid", "es", "mei.chen"},
		{"quinn.baker", "Quinn", "Baker", "Workshop Foreman", "Operations", "Bristol", "en", "dmitri.volkov"},
		{"rosa.jimenez", "Rosa", "Jiménez", "Buyer", "Operations", "Madrid", "es", "dmitri.volkov"},
		{"samir.patel", "Samir", "Patel", "Instrument Maker", "Operations", "Bristol", "en", "quinn.baker"},
		{"tove.ostergaard", "Tove", "Østergaard", "Instrument Maker", "Operations", "Bristol", "da", "quinn.baker"},
		{"ursula.klein", "Ursula", "Klein", "Shipping Clerk", "Operations", "Leipzig", "de", "rosa.jimenez"},
		{"viktor.horvat", "Viktor", "Horvat", "Controller", "People and Finance", "Zagreb", "hr", "elena.ruiz"},
		{"wanda.nowak", "Wanda", "Nowak", "Recruiter", "People and Finance", "Gdańsk", "pl", "elena.ruiz"},
		{"xavier.roux", "Xavier", "Roux", "Accountant", "People and Finance", "Lyon", "fr", "viktor.horvat"},
		{"yara.silva", "Yara", "Silva", "Office Manager", "Leadership", "Lisbon", "pt", "ada.lindqvist"},
	}
}

func (p employee) entry(i int) Entry {
	e := Entry{personDN(p.uid), []Attribute{
		{"objectClass", []string{"inetOrgPerson"}},
		{"uid", []string{p.uid}},
		{"cn", []string{p.given + " " + p.family}},
		{"givenName", []string{p.given}},
		{"sn", []string{p.family}},
		{"displayName", []string{p.given + " " + p.family}},
		{"mail", []string{p.uid + "@example.com"}},
		{"title", []string{p.title}},
		{"departmentNumber", []string{p.department}},
		{"employeeNumber", []string{fmt.Sprint(1001 + i)}},
		{"employeeType", []string{"Employee"}},
		{"l", []string{p.city}},
		{"preferredLanguage", []string{p.language}},
		{"telephoneNumber", []string{fmt.Sprintf("+44 117 496 0%03d", 101+i)}},
		{"mobile", []string{fmt.Sprintf("+44 7700 900%03d", 201+i)}},
	}}
	if p.manager != "" {
		e.Attributes = append(e.Attributes, Attribute{"manager", []string{personDN(p.manager)}})
	}
	return e
}
