package httpx_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/internal/httpx"
)

// FuzzText looks for something that a server could say to get a secret, a line
// break or a whole page into an error.
func FuzzText(f *testing.F) {
	const secret = "s3/cret="
	for _, says := range []string{
		"", "no such column\n", secret, `{"token":"s3/cret=","as":"s3%2Fcret%3D"}`, "a\x1b[31mb\x00\r\n\tc\u202ed", "caf\xe9",
		"<!DOCTYPE html>\n<HTML><Title lang=en>\n Log&amp;in </Title><p>token", "<title>s3&#47;cret=</title>", "<html><title>tok",
		strings.Repeat("x", 508) + secret, strings.Repeat("é", 400), "<title>\u0130</title>",
	} {
		f.Add(says)
	}
	client, err := httpx.New(httpx.Options{
		Name: "src", URL: &url.URL{Scheme: "https", Host: "example.com"}, Secrets: func() []string { return []string{secret} },
	})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, says string) {
		got := client.Text([]byte(says))
		require.LessOrEqual(t, len(got), 600)
		require.True(t, utf8.ValidString(got))
		require.False(t, strings.ContainsFunc(got, unicode.IsControl), "%q", got)
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			require.NotContains(t, got, form)
		}
	})
}
