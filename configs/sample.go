package configs

import (
	"embed"
	"fmt"
)

//go:embed *.yaml
var samples embed.FS

// Sample gives one of the sample files of this folder, by its name: "demo.yaml".
func Sample(name string) ([]byte, error) {
	data, err := samples.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("no sample %q: %w", name, err)
	}
	return data, nil
}
