package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"unicode"
)

const maxSecretBytes = 64 << 10

// secret reads the secret called name from the one place that the file names:
// name_file, name_env, or name itself, which draws a warning. given says that
// a place was named, even when nothing good was found there. With open false
// the place is left alone.
func (b *block) secret(name string, open bool) (s Secret, given bool) {
	literal, hasLiteral := b.hidden(name)
	file := b.str(name+"_file", "")
	variable, hasVariable := b.hidden(name + "_env")

	var ways []string
	for _, way := range []struct {
		key  string
		used bool
	}{{name + "_file", file != ""}, {name + "_env", hasVariable}, {name, hasLiteral}} {
		if way.used {
			ways = append(ways, way.key)
		}
	}
	if len(ways) > 1 {
		b.fault(ways[len(ways)-1], "", "the "+name+" is given more than once: "+strings.Join(ways, ", "), "keep one of them")
		return Secret{}, true
	}
	switch {
	case hasLiteral:
		b.warn(name, "", "is a secret written into the file", "use "+name+"_file or "+name+"_env")
		return NewSecret(literal), true
	case file != "" && open:
		return b.secretFile(name, file), true
	case variable != "" && open:
		return b.secretEnv(name, variable), true
	}
	return Secret{}, len(ways) > 0
}

func (b *block) secretFile(name, file string) Secret {
	key, path := name+"_file", b.r.abs(file)
	text, err := readLimited(path, maxSecretBytes)
	if err != nil {
		rule := "cannot be read: " + cause(err)
		if errors.Is(err, fs.ErrNotExist) {
			rule = "does not exist"
		}
		b.fault(key, file, rule, fmt.Sprintf("make it a file that holds the %s alone, readable by the user who runs Meterhouse", name))
		return Secret{}
	}
	secret := strings.TrimRight(strings.TrimPrefix(string(text), "\ufeff"), "\r\n")
	if secret == "" {
		b.fault(key, file, "is an empty file", "write the "+name+" into it, on one line")
		return Secret{}
	}
	if strings.ContainsFunc(secret, unicode.IsControl) {
		b.fault(key, file, "holds more than one line or binary data", "write the "+name+" alone into it, on one line")
		return Secret{}
	}
	const others = 0o004
	if info, err := os.Stat(path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&others != 0 {
		b.warn(key, file, "can be read by every user of this machine", "chmod 600 it")
	}
	return NewSecret(secret)
}

func (b *block) secretEnv(name, variable string) Secret {
	if secret := b.r.env(variable); secret != "" {
		return NewSecret(secret)
	}
	key := name + "_env"
	if !looksLikeVariable(variable) {
		b.fault(key, "", "does not look like the name of an environment variable and none is called so", "write the variable's name here, not the "+name+" itself")
		return Secret{}
	}
	b.fault(key, variable, "is an environment variable that is not set or empty", "set it where Meterhouse is started, or use "+name+"_file")
	return Secret{}
}

// looksLikeVariable tells names as people write them from a secret that was
// put in the wrong key and must not be shown.
func looksLikeVariable(name string) bool {
	return !strings.ContainsFunc(name, func(c rune) bool {
		return c != '_' && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
	})
}

// cause is what the system says about a file, without the path.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
