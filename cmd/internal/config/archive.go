package config

import (
	"cmp"
	"net/url"
	"path/filepath"
	"strings"
)

const (
	archiveAdvice = "write file:./archive or s3://bucket/prefix"
	// defaultRegion is what servers that know no regions answer to.
	defaultRegion = "us-east-1"
)

// archive reads the block; without one nothing is archived.
func (b *block) archive() Archive {
	text := b.str("url", "file:./archive")
	a := Archive{
		KeepDays: b.count("keep_days", 800, 0),
		Policy:   b.choice("policy", ArchiveRequired, ArchiveRequired, ArchiveBestEffort),
	}
	scheme, rest, _ := strings.Cut(text, ":")
	switch {
	case text == "":
		a = Archive{}
	case scheme == "file":
		b.archiveFolder(&a, rest)
	case scheme == "s3":
		b.archiveBucket(&a, text)
	default:
		b.fault("url", showURL(text), "must begin with file: or s3://", archiveAdvice)
	}
	b.refuse("is a key of archives in s3 buckets", bucketKeys()...)
	b.done()
	return a
}

func bucketKeys() []string {
	return []string{
		"access_key", "access_key_file", "access_key_env", "secret_key", "secret_key_file", "secret_key_env",
		"session_token", "session_token_file", "session_token_env",
	}
}

// archiveFolder reads what follows file: in file:./archive and file:///var/archive.
func (b *block) archiveFolder(a *Archive, path string) {
	if strings.HasPrefix(path, "///") {
		path = path[2:]
	}
	if path == "" || strings.HasPrefix(path, "//") {
		b.fault("url", "file:"+path, "names no folder of this machine", archiveAdvice)
		return
	}
	a.URL = &url.URL{Scheme: "file", Path: filepath.ToSlash(b.r.abs(path))}
}

// archiveBucket reads s3://bucket/prefix?endpoint=https://host:9000&region=x&ca_file=y.
func (b *block) archiveBucket(a *Archive, text string) {
	b.archiveKeys(a)
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "@"):
		b.fault("url", showURL(text), "holds credentials, and URLs are shown", "use access_key_file and secret_key_file, or "+EnvAccessKey+" and "+EnvSecretKey)
		return
	case err != nil:
		b.fault("url", showURL(text), whyNotURL(text, err), archiveAdvice)
		return
	case u.Fragment != "":
		b.fault("url", showURL(text), "has a part after #", "remove it")
		return
	case !goodHost(u.Host):
		b.fault("url", showURL(text), "names no bucket", archiveAdvice)
		return
	}
	values := b.query(u.RawQuery, "endpoint", "region", "ca_file")
	a.URL = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}
	a.Region = cmp.Or(values.Get("region"), b.r.env(EnvRegion), b.r.env(EnvDefaultRegion), defaultRegion)
	if endpoint := values.Get("endpoint"); endpoint != "" {
		a.Endpoint = b.archiveEndpoint(endpoint)
	}
	if file := values.Get("ca_file"); file != "" {
		if a.Endpoint != nil && a.Endpoint.Scheme != "https" {
			b.fault("url", "", "names a ca_file for an endpoint without TLS", "begin the endpoint with https://")
		}
		a.CAFile = b.caFile("url", file, b.r.openArchive)
	}
}

func (b *block) archiveEndpoint(text string) *url.URL {
	const advice = "write endpoint=https://minio.example.com:9000"
	u, err := url.Parse(strings.TrimRight(text, "/"))
	bad := err != nil || (u.Scheme != "http" && u.Scheme != "https") || !goodHost(u.Hostname()) ||
		(u.Port() != "" && !goodPort(u.Port())) || u.User != nil || u.Path != "" || u.RawQuery != ""
	if bad {
		b.fault("url", "", "has an endpoint that is not https://host:port", advice)
		return nil
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		b.warn("url", "", "sends the archived data unencrypted to "+u.Host, advice)
	}
	return u
}

// archiveKeys reads what signs the requests: the keys that the file names, else
// the variables that Amazon's own tools read.
func (b *block) archiveKeys(a *Archive) {
	open := b.r.openArchive
	for _, k := range []struct {
		name, variable string
		to             *Secret
		must           bool
	}{
		{"access_key", EnvAccessKey, &a.AccessKey, true},
		{"secret_key", EnvSecretKey, &a.SecretKey, true},
		{"session_token", EnvSessionToken, &a.SessionToken, false},
	} {
		secret, given := b.secret(k.name, open)
		if text := b.r.env(k.variable); !given && open && text != "" {
			secret = NewSecret(text)
		} else if !given && open && k.must {
			b.fault(k.name+"_file", "", "is missing, and "+k.variable+" is not set", "name a file that holds the bucket's "+k.name+" alone, or set that variable")
		}
		*k.to = secret
	}
}
