// Package httpx is the one HTTP client of all sources. It knows TLS, retries,
// Retry-After, limits and what may stand in an error; it knows nothing of what
// is asked or how the answer reads. Sources build one Client each.
//
// It does not use a proxy and does not read the environment: the servers that
// Meterhouse reads are inside the house.
package httpx
