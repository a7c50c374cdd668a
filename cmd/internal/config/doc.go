// Package config is the only reader of files and environment: it turns
// meterhouse.yaml and the secrets it names into one typed, complete Config, or
// into an Error that lists everything wrong with it at once.
package config
