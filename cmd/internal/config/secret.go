package config

import (
	"fmt"
	"io"
)

const masked = "***"

// Secret is a password or a token. Whatever prints it (fmt, JSON, YAML, zap)
// prints *** instead; only Reveal gives the text.
type Secret struct {
	// A pointer, because fmt does not call methods on unexported fields: a
	// Secret inside one then prints as an address.
	text *string
}

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal gives the secret itself, "" when there is none. Hand the result to
// the server it is for and to nobody else.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero says that there is no secret.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String prints ***.
func (Secret) String() string { return masked }

// GoString prints ***.
func (Secret) GoString() string { return masked }

// Format prints *** for every verb and flag.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// MarshalText writes ***.
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// MarshalJSON writes "***".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }
