package config

import _ "embed"

//go:embed starter.yaml
var starter string

// Starter is the commented configuration that `meterhouse init` writes. It
// loads once the hosts are real and the secret files that it names exist.
func Starter() string { return starter }
