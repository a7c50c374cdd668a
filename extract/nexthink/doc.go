// Package nexthink reads the Software Metering API (classic) of a Nexthink
// Portal: the devices on which a program is installed or under-used.
//
// An answer is a snapshot of what the Portal computed last. Past days cannot be
// asked for, so the day of a request only says under which day the caller files
// the answer. The vendor's page documents the labels of the output but neither
// its JSON keys nor its CSV header line; the readers here therefore accept
// every form that the page can mean, and take anything else for a failure,
// never for an empty answer.
package nexthink
