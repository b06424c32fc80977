package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// legacy is an application with users and groups in memory, in the styles that
// applications have.
type legacy struct {
	mu     sync.Mutex
	next   int
	rooms  map[string]map[int]map[string]any
	paging string // offset, page, cursor, url, link, none
	most   int    // objects in a page
	total  bool   // lists tell how many objects there are
	etags  bool
	calls  atomic.Int64
	gate   func(w http.ResponseWriter, r *http.Request) bool // answers first; nil is nobody
}

func newLegacy() *legacy {
	return &legacy{paging: "offset", most: 100, total: true,
		rooms: map[string]map[int]map[string]any{"users": {}, "groups": {}}}
}

func (l *legacy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.calls.Add(1)
	if l.gate != nil && l.gate(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	room, ok := l.rooms[parts[0]]
	if !ok {
		answerJSON(w, 404, map[string]any{"error": "no such thing"})
		return
	}
	var sent map[string]any
	if len(body) > 0 {
		d := json.NewDecoder(strings.NewReader(string(body)))
		d.UseNumber()
		if err := d.Decode(&sent); err != nil {
			answerJSON(w, 400, map[string]any{"error": "no JSON"})
			return
		}
	}
	if len(parts) == 1 {
		if r.Method == http.MethodPost {
			l.create(w, parts[0], room, sent)
		} else {
			l.list(w, r, room)
		}
		return
	}
	id, err := strconv.Atoi(parts[1])
	o := room[id]
	if err != nil || o == nil || strconv.Itoa(id) != parts[1] {
		answerJSON(w, 404, map[string]any{"error": "no such object"})
		return
	}
	if len(parts) == 4 && parts[2] == "members" {
		l.member(w, r, o, parts[3])
		return
	}
	if m := r.Header.Get("If-Match"); l.etags && m != "" && m != o["etag"] {
		answerJSON(w, 412, map[string]any{"error": "changed"})
		return
	}
	switch r.Method {
	case http.MethodGet:
		l.show(w, 200, o)
	case http.MethodPatch:
		n := map[string]any{}
		for k, v := range o {
			n[k] = v
		}
		for k, v := range sent {
			if n[k] = v; v == nil {
				delete(n, k)
			}
		}
		if l.refuse(w, parts[0], room, n, id) {
			return
		}
		l.stamp(n)
		room[id] = n
		l.show(w, 200, n)
	case http.MethodDelete:
		delete(room, id)
		l.forget(parts[0], id)
		w.WriteHeader(204)
	}
}

// forget takes a deleted user out of everything that names it.
func (l *legacy) forget(room string, id int) {
	if room != "users" {
		return
	}
	for _, g := range l.rooms["groups"] {
		members, _ := g["members"].([]any)
		n := slices.DeleteFunc(slices.Clone(members), func(m any) bool { return fmt.Sprint(m) == strconv.Itoa(id) })
		if len(n) != len(members) {
			g["members"] = n
			l.stamp(g)
		}
	}
	for _, u := range l.rooms["users"] {
		if fmt.Sprint(u["boss"]) == strconv.Itoa(id) {
			delete(u, "boss")
			l.stamp(u)
		}
	}
}

func (l *legacy) stamp(o map[string]any) {
	l.next++
	o["etag"] = `"` + strconv.Itoa(l.next) + `"`
}

func (l *legacy) show(w http.ResponseWriter, status int, o map[string]any) {
	if l.etags {
		w.Header().Set("ETag", o["etag"].(string))
	}
	answerJSON(w, status, map[string]any{"object": o})
}

func (l *legacy) create(w http.ResponseWriter, name string, room map[int]map[string]any, o map[string]any) {
	if l.refuse(w, name, room, o, 0) {
		return
	}
	l.stamp(o)
	for k, v := range o {
		if v == nil {
			delete(o, k)
		}
	}
	o["id"] = l.next
	room[l.next] = o
	l.show(w, 201, o)
}

func (l *legacy) refuse(w http.ResponseWriter, name string, room map[int]map[string]any, o map[string]any, self int) bool {
	if s, _ := o["login"].(string); s == "" {
		answerJSON(w, 422, map[string]any{"errors": []string{"login can not be blank"}})
		return true
	}
	for id, other := range room {
		if id != self && other["login"] == o["login"] {
			answerJSON(w, 422, map[string]any{"errors": []string{"login has already been taken"}})
			return true
		}
	}
	return false
}

func (l *legacy) member(w http.ResponseWriter, r *http.Request, g map[string]any, member string) {
	members, _ := g["members"].([]any)
	is := func(m any) bool { return fmt.Sprint(m) == member }
	id, _ := strconv.Atoi(member)
	in := slices.ContainsFunc(members, is)
	switch {
	case r.Method == http.MethodPut && (in || l.rooms["users"][id] == nil):
		answerJSON(w, 422, map[string]any{"errors": []string{"user is invalid"}})
		return
	case r.Method == http.MethodPut:
		g["members"] = append(slices.Clone(members), id)
	case !in:
		answerJSON(w, 404, map[string]any{"error": "not a member"})
		return
	default:
		g["members"] = slices.DeleteFunc(slices.Clone(members), is)
	}
	l.stamp(g)
	w.WriteHeader(204)
}

func (l *legacy) list(w http.ResponseWriter, r *http.Request, room map[int]map[string]any) {
	q := r.URL.Query()
	var ids []int
	for id, o := range room {
		if login := q.Get("login"); login == "" || o["login"] == login {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	all := len(ids)
	size := l.most
	if n, err := strconv.Atoi(q.Get("limit")); err == nil && n > 0 {
		size = min(size, n)
	}
	from := 0
	number := func(name string) int { n, _ := strconv.Atoi(q.Get(name)); return n }
	switch l.paging {
	case "offset":
		from = number("offset")
	case "page":
		from = (number("page") - 1) * size
	case "cursor", "url", "link":
		from = number("after")
	case "none":
		size = all
	}
	from = max(0, min(from, all))
	to := min(from+size, all)
	objects := make([]any, 0, to-from)
	for _, id := range ids[from:to] {
		objects = append(objects, room[id])
	}
	out := map[string]any{"objects": objects}
	if l.total {
		out["total"] = all
	}
	if to < all {
		next := fmt.Sprintf("%s?after=%d&limit=%d", r.URL.Path, to, size)
		switch l.paging {
		case "cursor":
			out["next"] = strconv.Itoa(to)
		case "url":
			out["next"] = next
		case "link":
			w.Header().Set("Link", `</first,x>; rel="first", <`+next+`>; title="a, b"; rel="next"`)
		}
	}
	answerJSON(w, 200, out)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
