package bigfix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/meterhouse/meterhouse/extract"
)

const (
	tokenPath = "api/get_token" // HCL's page on retrieving the authentication token; not below sam/v2
	// tokenHeader and tokenKey are the two places that IBM's page on
	// authenticating API requests names.
	tokenHeader = "Token"
	tokenKey    = "token"
)

// tokens holds the token in use. No expiry is documented, so a token is kept
// until the server refuses it.
type tokens struct {
	static func() string
	fetch  func(ctx context.Context) (string, error)
	lock   chan struct{} // held while a token is fetched, so that one request does it for all
	known  atomic.Pointer[fetched]
}

// fetched is the token in use and the one before, which an answer that is still
// under way may repeat.
type fetched struct{ current, previous string }

func (t *tokens) fromConfig() string {
	if t.static == nil {
		return ""
	}
	return t.static()
}

// get returns the token in use and fetches one if there is none.
func (t *tokens) get(ctx context.Context) (string, error) {
	if token := t.fromConfig(); token != "" {
		return token, nil
	}
	if f := t.known.Load(); f != nil {
		return f.current, nil
	}
	return t.renew(ctx, "")
}

// renew fetches a token in place of the refused one, unless somebody has done
// so meanwhile.
func (t *tokens) renew(ctx context.Context, refused string) (string, error) {
	select {
	case t.lock <- struct{}{}:
		defer func() { <-t.lock }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	next := fetched{previous: refused}
	if f := t.known.Load(); f != nil {
		if f.current != refused {
			return f.current, nil
		}
		next.previous = f.current
	}
	var err error
	if next.current, err = t.fetch(ctx); err != nil {
		return "", err
	}
	t.known.Store(&next)
	return next.current, nil
}

func (s *Source) authorize(ctx context.Context, r *http.Request) error {
	token, err := s.tokens.get(ctx)
	if err != nil {
		return err
	}
	if s.o.TokenIn == TokenInHeader {
		r.Header.Set(tokenHeader, token)
		return nil
	}
	q := r.URL.Query()
	q.Set(tokenKey, token)
	r.URL.RawQuery = q.Encode()
	return nil
}

// reauthorize says whether another token than the refused one can be had.
func (s *Source) reauthorize(ctx context.Context, refused *http.Request) (bool, error) {
	old := refused.Header.Get(tokenHeader)
	if s.o.TokenIn == TokenInQuery {
		old = refused.URL.Query().Get(tokenKey)
	}
	if token := s.tokens.fromConfig(); token != "" {
		return token != old, nil
	}
	_, err := s.tokens.renew(ctx, old)
	return err == nil, err
}

func (s *Source) fetchToken(ctx context.Context) (string, error) {
	login := struct {
		User     string `json:"user"`
		Password string `json:"password"`
	}{s.o.User, s.o.Password()}
	var answer struct {
		Token string `json:"token"`
	}
	if err := s.client.PostJSON(ctx, tokenPath, login, &answer, explainLogin); err != nil {
		return "", err
	}
	if answer.Token == "" {
		return "", &extract.Error{
			Class: extract.BadAnswer, Doing: fmt.Sprintf("asking %q for %s", s.o.Name, tokenPath), Status: http.StatusOK, Attempts: 1,
			Err: errors.New("there is no token in the answer"),
		}
	}
	return answer.Token, nil
}

// secrets are what must never be seen in an error.
func (s *Source) secrets() []string {
	secrets := []string{s.tokens.fromConfig()}
	if s.o.Password != nil {
		secrets = append(secrets, s.o.Password())
	}
	if f := s.tokens.known.Load(); f != nil {
		secrets = append(secrets, f.current, f.previous)
	}
	return secrets
}
