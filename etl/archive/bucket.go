package archive

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Bucket is a place in an S3 bucket, Amazon's or any compatible server's.
type Bucket struct {
	// Endpoint is host or host:port of the server.
	Endpoint string
	// Plain is for a server without TLS.
	Plain  bool
	CAFile string // PEM file of the authorities to trust, "" for the system's
	Region string
	Name   string
	Prefix string // without slashes at its ends, "" for the whole bucket
	// AccessKey, SecretKey and SessionToken ("" where there is none) sign the
	// requests. They are asked for once.
	AccessKey    func() string
	SecretKey    func() string
	SessionToken func() string
}

// uploadTries is how often a request to the bucket is made before it has failed.
const uploadTries = 5

// bucket is a store in an S3 bucket.
type bucket struct {
	client    *minio.Core
	transport *http.Transport
	name      string
	prefix    string // "" or with a slash at its end
}

func newBucket(o Bucket) (*bucket, error) {
	transport, err := minio.DefaultTransport(!o.Plain)
	if err != nil {
		return nil, fmt.Errorf("preparing connections to %s: %w", o.Endpoint, err)
	}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the authorities of the archive: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the authorities of the archive: %q holds no certificate in PEM form", o.CAFile)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	client, err := minio.NewCore(o.Endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(o.AccessKey(), o.SecretKey(), o.SessionToken()),
		Secure: !o.Plain, Region: o.Region, Transport: transport, MaxRetries: uploadTries,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing connections to %s: %w", o.Endpoint, err)
	}
	b := &bucket{client: client, transport: transport, name: o.Name}
	if o.Prefix != "" {
		b.prefix = o.Prefix + "/"
	}
	return b, nil
}

func (b *bucket) put(ctx context.Context, key string, body io.ReadSeeker, size int64) error {
	info, err := b.client.Client.PutObject(ctx, b.name, b.prefix+key, body, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", NumThreads: 1, // one part in memory at a time
	})
	if err == nil && info.Size != size {
		err = fmt.Errorf("the server took %d of %d bytes", info.Size, size)
	}
	return err //nolint:wrapcheck // the caller names the key
}

func (b *bucket) get(ctx context.Context, key string) (io.ReadCloser, error) {
	body, _, _, err := b.client.GetObject(ctx, b.name, b.prefix+key, minio.GetObjectOptions{})
	if isAbsent(err) {
		return nil, errAbsent
	}
	return body, err //nolint:wrapcheck // the caller names the key
}

func isAbsent(err error) bool {
	var answer minio.ErrorResponse
	return errors.As(err, &answer) && answer.Code == minio.NoSuchKey
}

func (b *bucket) list(ctx context.Context, prefix string) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // ends the listing when the caller has enough
		defer cancel()
		for o := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix + prefix, Recursive: true}) {
			if o.Err != nil {
				yield(object{}, o.Err)
				return
			}
			if !yield(object{strings.TrimPrefix(o.Key, b.prefix), o.Size}, nil) {
				return
			}
		}
	}
}

func (b *bucket) remove(ctx context.Context, key string) error {
	err := b.client.RemoveObject(ctx, b.name, b.prefix+key, minio.RemoveObjectOptions{})
	if isAbsent(err) {
		return nil
	}
	return err //nolint:wrapcheck // the caller names the key
}
