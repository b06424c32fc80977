package main

import (
	"os"
	"path/filepath"

	"postern/configs"
)

// Store says where the identity table is kept: in the file Bolt, or, where that is empty, in
// memory.
type Store struct {
	Bolt string
}

func decodeStore(n *configs.Node, ps *configs.Problems) Store {
	m := n.Map(ps)
	bolt, memory := m.Child("bolt"), m.Child("memory")
	var s Store
	if bolt != nil {
		bm := bolt.Map(ps)
		bm.Required("path")
		path := bm.FileName("path")
		bm.Done()
		s.Bolt = path.Value
		checkStoreFile(path, ps)
	}
	if memory != nil {
		memory.Map(ps).Done()
		ps.Add(memory.Problem("all ids are forgotten when the program ends").AsWarning())
	}
	m.Done()
	m.NotEmpty("store")
	if bolt != nil && memory != nil {
		ps.Add(m.Problem("names two stores").WithHint("keep one of bolt and memory"))
	}
	return s
}

// checkStoreFile reports a table that could not be opened or made.
func checkStoreFile(path configs.At[string], ps *configs.Problems) {
	if path.Value == "" {
		return
	}
	if info, err := os.Stat(path.Value); err == nil && info.IsDir() {
		ps.Add(path.Problem("%q is a folder, not a file", path.Value))
		return
	}
	folder := filepath.Dir(path.Value)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		ps.Add(path.Problem("there is no folder %q to keep the file in", folder))
	}
}
