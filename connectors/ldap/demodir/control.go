package demodir

import "slices"

// The controls that the directory knows.
const (
	controlAssertion   = "1.3.6.1.1.12"              // RFC 4528
	controlPreRead     = "1.3.6.1.1.13.1"            // RFC 4527
	controlPostRead    = "1.3.6.1.1.13.2"            // RFC 4527
	controlPaged       = "1.2.840.113556.1.4.319"    // RFC 2696
	controlDereference = "1.3.6.1.4.1.4203.666.5.16" // draft-masarati-ldap-deref
	controlManageDsaIT = "2.16.840.1.113730.3.4.2"   // RFC 3296; there are no referrals here
)

// rawControl is a control as it stands in a message (RFC 4511 §4.1.11).
type rawControl struct {
	oid      string
	critical bool
	value    []byte
}

// controls are those of one request that have a meaning for it; the zero value
// is none.
type controls struct {
	assertion   filter
	preRead     *selection
	postRead    *selection
	page        *page
	dereference []dereference
}

// page is the value of a paged results control.
type page struct {
	size   int
	cookie string
}

// dereference asks for attributes of the entries that an attribute names.
type dereference struct {
	by    *attributeType
	types []*attributeType
}

// controlsOf returns what the controls of a request say. One that is critical
// and is not known, or not for this operation, is refused (12); others of these
// are left out.
func (w vocabulary) controlsOf(op byte, list []rawControl) (controls, error) {
	var out controls
	seen := newSet(nil, len(list), len(list))
	for _, c := range list {
		if !slices.Contains(operationsOf(c.oid), op) {
			if c.critical {
				return out, refuse(unavailableCriticalExtension, "critical extension is not recognized")
			}
			continue
		}
		if !seen.add(c.oid) {
			return out, refuse(protocolError, "control %s specified multiple times", c.oid)
		}
		if err := w.readControl(&out, c); err != nil {
			return out, err
		}
	}
	return out, nil
}

// operationsOf returns the tags of the requests that a control may go with.
func operationsOf(oid string) []byte {
	switch oid {
	case controlAssertion, controlManageDsaIT:
		return []byte{requestSearch, requestModify, requestAdd, requestDelete, requestModifyDN, requestCompare}
	case controlPreRead:
		return []byte{requestModify, requestDelete, requestModifyDN}
	case controlPostRead:
		return []byte{requestModify, requestAdd, requestModifyDN}
	case controlPaged, controlDereference:
		return []byte{requestSearch}
	}
	return nil
}

func (w vocabulary) readControl(out *controls, c rawControl) (err error) {
	in := decoder{c.value}
	switch c.oid {
	case controlAssertion:
		out.assertion, err = w.read(&in, 1)
	case controlPreRead, controlPostRead:
		names, err := in.texts(tagSequence)
		if err != nil {
			return badControl(c)
		}
		for _, name := range names {
			if c.critical && name != "*" && name != "+" && name != "1.1" && w.schema.attribute(name) == nil {
				return refuse(undefinedAttributeType, "%s: attribute type undefined", name)
			}
		}
		wanted := w.selection(names)
		if c.oid == controlPreRead {
			out.preRead = &wanted
		} else {
			out.postRead = &wanted
		}
	case controlPaged:
		body, err := in.inside(tagSequence)
		if err != nil {
			return badControl(c)
		}
		size, err := body.number(tagInteger)
		if err != nil || size < 0 {
			return badControl(c)
		}
		cookie, err := body.text(tagString)
		if err != nil {
			return badControl(c)
		}
		out.page = &page{size, cookie}
	case controlDereference:
		out.dereference, err = w.readDereference(in)
	}
	if _, refused := err.(*fault); err != nil && !refused {
		return badControl(c)
	}
	return err
}

func badControl(c rawControl) error {
	return refuse(protocolError, "value of control %s could not be decoded", c.oid)
}

func (w vocabulary) readDereference(in decoder) ([]dereference, error) {
	specs, err := in.inside(tagSequence)
	if err != nil {
		return nil, err
	}
	var out []dereference
	for !specs.empty() {
		spec, err := specs.inside(tagSequence)
		if err != nil {
			return nil, err
		}
		by, err := spec.text(tagString)
		if err != nil {
			return nil, err
		}
		names, err := spec.texts(tagSequence)
		if err != nil {
			return nil, err
		}
		ref := dereference{by: w.attribute(by)}
		if ref.by == nil || ref.by.equality == nil || ref.by.equality.name != "distinguishedNameMatch" {
			return nil, refuse(protocolError, "dereference attribute %q has no names of entries", by)
		}
		for _, name := range names {
			if t := w.attribute(name); t != nil {
				ref.types = append(ref.types, t)
			}
		}
		out = append(out, ref)
	}
	return out, nil
}
