package configs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// largestFile bounds a configuration file, in bytes.
const largestFile = 4 << 20

// Load reads and parses a file. The node is nil when the file can not be read or is not YAML.
func Load(file string) (*Node, Problems) {
	data, problem := readFile(file)
	if problem != "" {
		return nil, Problems{problemAt(Pos{File: file}, "", "%s", problem)}
	}
	return Parse(file, data)
}

// readFile gives the content of a file, or says what is wrong with it in words that do not
// repeat its name.
func readFile(file string) (data []byte, problem string) {
	f, err := os.Open(file)
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, "is a folder, not a file"
	}
	data, err = io.ReadAll(io.LimitReader(f, largestFile+1))
	if err != nil {
		return nil, reason(err)
	}
	if len(data) > largestFile {
		return nil, "is larger than 4 MiB"
	}
	return data, ""
}

// reason says why a file can not be read, without its name.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read the file"
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return "can not be read: " + pe.Err.Error()
	}
	return "can not be read: " + err.Error()
}

// resolve gives a file name written in the configuration relative to the file it stands in.
func resolve(pos Pos, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(filepath.Dir(pos.File), name)
}
