// Package notify tells operators of passes that they should know about: what to
// say is decided by pure functions, and sent with the library shoutrrr.
package notify
