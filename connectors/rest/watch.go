package rest

import (
	"net/http"
	"strings"

	"github.com/hashicorp/go-retryablehttp"
)

// Watch tells every call from now on, without the secrets in it, to f. It is set
// before the App is used.
func (a *App) Watch(f func(Exchange)) { a.client.trace = f }

const redacted = "(hidden)"

// watch tells a call to who watches.
func (c *client) watch(req *retryablehttp.Request, body []byte, a answer, err error, secrets []string) {
	if c.trace == nil {
		return
	}
	hide := func(s string) string {
		for _, secret := range secrets {
			if secret != "" {
				s = strings.ReplaceAll(s, secret, redacted)
			}
		}
		return s
	}
	x := Exchange{Method: req.Method, URL: hide(req.URL.String()), Header: make(http.Header), Status: a.status, Err: err}
	for name, values := range req.Header {
		for _, v := range values {
			x.Header.Add(name, hide(v))
		}
	}
	x.Body, x.Answer = []byte(hide(string(body))), []byte(hide(string(a.text)))
	c.trace(x)
}
