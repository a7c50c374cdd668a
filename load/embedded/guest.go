package embedded

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// endpointRecord is the endpoint file: who owns the folder now, and where it
// listens. It is there only while the owner takes guests.
type endpointRecord struct {
	Address string    `json:"address"`
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Version string    `json:"version"`
	Started time.Time `json:"started"`
}

// attach makes this process a guest of the folder's owner. It fails while the
// owner is not ready; the caller tries again.
func attach(ctx context.Context, dir string) (*Engine, error) {
	// The lock comes first: an owner that sees no guest closes.
	guest, err := tryLock(filepath.Join(dir, guestsFile), shared)
	if err != nil {
		return nil, fmt.Errorf("joining its guests: %w", err)
	}
	endpoint, err := verifiedEndpoint(ctx, dir)
	if err != nil {
		_ = guest.Close()
		return nil, err
	}
	return &Engine{endpoint: endpoint, guest: guest}, nil
}

func verifiedEndpoint(ctx context.Context, dir string) (Endpoint, error) {
	var record endpointRecord
	if err := readJSON(filepath.Join(dir, endpointFile), &record); err != nil {
		return Endpoint{}, fmt.Errorf("reading where it listens: %w", err)
	}
	users, err := readAccess(dir)
	if err != nil {
		return Endpoint{}, err
	}
	if err := verify(ctx, record.Address, users); err != nil {
		return Endpoint{}, fmt.Errorf("asking process %d (Meterhouse %s): %w", record.PID, record.Version, err)
	}
	return users.endpoint(record.Address), nil
}

// verifyTimeout bounds one question to an owner that may have just died.
const verifyTimeout = 5 * time.Second

// verify asks the owner for something that only the right key gets.
func verify(ctx context.Context, address string, users access) error {
	ctx, cancel := context.WithTimeoutCause(ctx, verifyTimeout, fmt.Errorf("no answer within %s", verifyTimeout))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", strings.NewReader("SELECT 'ready'"))
	if err != nil {
		return err
	}
	request.SetBasicAuth(users.User, users.Key)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // and no proxy
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || strings.TrimSpace(string(answer)) != "ready" {
		return fmt.Errorf("it answers with status %d", response.StatusCode)
	}
	return nil
}
