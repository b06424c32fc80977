package rest

import (
	"regexp"
	"time"

	"postern/configs"
	"postern/connectors"
)

// A Config says how to reach one application. Its zero values are usable wherever
// a default is named.
type Config struct {
	URL  string // scheme, host and what all paths begin with
	Auth Auth
	TLS  TLS
	// Proxy is the URL of a proxy; "" is what the environment says (HTTPS_PROXY,
	// NO_PROXY).
	Proxy   string
	Headers map[string]string // of every call

	Timeout     time.Duration // of one call, each time it is tried; default 10 s
	Retries     int           // of what may be repeated; 0 is 3, less is none
	Rate        float64       // calls in a second; 0 is no limit
	Concurrency int           // calls at the same time; default 8
	MaxAnswer   int64         // bytes of an answer; default 16 MiB
	Breaker     Breaker
	Errors      []ErrorRule

	// ScanLimit is how many objects a condition is evaluated on here at most
	// because the application can not; 0 is no limit.
	ScanLimit int
}

// A Breaker says when an application is taken to be down.
type Breaker struct {
	Failures int           // in a row; default 5
	Pause    time.Duration // before it is tried again; default 5 s
}

// TLS says whom to believe.
type TLS struct {
	CAFile             string
	ServerName         string
	InsecureSkipVerify bool
	CertFile, KeyFile  string // what this side shows
}

// Auth is what calls are authenticated with. The secrets are asked for at each
// call, so that they may rotate.
type Auth struct {
	Headers map[string]func() (string, error)
	Query   map[string]func() (string, error)
	User    string // HTTP basic
	Secret  func() (string, error)
	Bearer  func() (string, error)
	OAuth2  *OAuth2
	Session *Session
}

// OAuth2 is the grant of client credentials (RFC 6749 §4.4).
type OAuth2 struct {
	TokenURL string
	ClientID string
	Secret   func() (string, error)
	Scope    string
	InBody   bool // the client is authenticated in the body (RFC 6749 §2.3.1)
}

// A Session is a call that logs in, and the cookies that it gives.
type Session struct {
	Login  Call
	Values map[string]func() (string, error) // what {name} in the body stands for
}

// A Call is one declared call.
type Call struct {
	Method  string
	Target  Template
	Headers map[string]string
	Form    Form
	// Wrap is where in the body the object is; Object is where it is in the
	// answer, if HasObject.
	Wrap, Object pointer
	HasObject    bool
	// Body is a body of its own, for calls that do not send the object.
	Body any
	// Without are attributes that the objects of the answer lack.
	Without []connectors.Attr
	// Key is the header that carries an idempotency key, which makes the call
	// safe to repeat.
	Key string
	// Safe says that the call may be repeated although its method does not.
	Safe bool

	at configs.At[string]
}

// A Form is how a body is written.
type Form uint8

const (
	FormJSON Form = iota
	FormURL       // application/x-www-form-urlencoded
	FormXML
)

// declared reports whether there is such a call.
func (c Call) declared() bool { return c.Method != "" }

// A List is a call that answers with objects.
type List struct {
	Call
	Items pointer
	Total pointer // where the number of all is; nil is nowhere
	Page  Page
}

// A Page says how the application cuts a list.
type Page struct {
	Style PageStyle
	// Offset, Number, Cursor and Limit are names of parameters.
	Offset, Number, Cursor, Limit string
	Size                          int     // objects in a page at most
	First                         int     // the number of the first page
	Next                          pointer // where the next cursor, or the next URL, is in the answer
	Rel                           string  // of the Link header
}

// A PageStyle is one of the ways in which lists are cut.
type PageStyle uint8

const (
	PageNone   PageStyle = iota // the answer is the whole list
	PageOffset                  // by how many objects to pass over
	PageNumber                  // by the number of the page
	PageCursor                  // by a text from the page before
	PageURL                     // by a URL from the page before
	PageLink                    // by the Link header (RFC 8288)
)

// A Collection is the objects of one kind that the application has.
type Collection struct {
	Name   string // the resource type's
	Anchor connectors.Attr

	List   List
	Find   map[connectors.Attr]List
	Read   Call
	Create Call
	Update Call
	Whole  bool // Update sends the whole object, and not what changes alone
	Delete Call

	// Switches are attributes that are changed by calls of their own, one for
	// each value.
	Switches map[connectors.Attr]map[connectors.Value]Call
	Members  map[connectors.Attr]Members
	Subs     map[connectors.Attr]Sub
	Version  Version

	Types map[connectors.Attr]Attribute

	// Attrs are the attributes that the collection is used with, and References
	// those of them that name objects, with the collections these lie in.
	Attrs      []connectors.Attr
	References map[connectors.Attr][]string

	at configs.At[string]
}

// Members says how a reference attribute is read and written. Without calls it
// is a list in the object.
type Members struct {
	Value       pointer // the anchor in each element; nil is the element itself
	List        List    // how they are listed, if not in the object
	Add, Remove Call
}

// calls reports whether members come and go by calls of their own.
func (m Members) calls() bool { return m.Add.declared() }

// A Sub is an attribute whose values are objects of their own below the object,
// such as /users/7/emails.
type Sub struct {
	List        List
	Value       pointer // the value in each element
	ID          pointer // what {id} stands for when one is removed; nil is the value
	Add, Remove Call
}

// A Version is where the application tells the version of an object.
type Version struct {
	Header bool    // in the ETag of an answer (RFC 9110 §8.8.3)
	Field  pointer // in the object; of a Header, where lists have it
	has    bool
}

// An ErrorRule says what an answer means.
type ErrorRule struct {
	Status  int // 0 is any
	At      pointer
	Anyhow  bool // no pointer: the status alone decides
	Pattern *regexp.Regexp
	Kind    connectors.Kind
	Attr    connectors.Attr
	Tell    bool // the text that was found is for the client too
	None    bool // it is no error at all
}

const (
	defaultTimeout     = 10 * time.Second
	defaultRetries     = 3
	defaultConcurrency = 8
	defaultMaxAnswer   = 16 << 20
	defaultFailures    = 5
	defaultPause       = 5 * time.Second
)

func (c Config) withDefaults() Config {
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Retries == 0 {
		c.Retries = defaultRetries
	}
	c.Retries = max(c.Retries, 0)
	if c.Concurrency <= 0 {
		c.Concurrency = defaultConcurrency
	}
	if c.MaxAnswer <= 0 {
		c.MaxAnswer = defaultMaxAnswer
	}
	if c.Breaker.Failures <= 0 {
		c.Breaker.Failures = defaultFailures
	}
	if c.Breaker.Pause <= 0 {
		c.Breaker.Pause = defaultPause
	}
	return c
}
