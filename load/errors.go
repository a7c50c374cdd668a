package load

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
)

// Class says what an error of the warehouse means for the work in hand.
type Class string

// The classes. Every error that this package returns is one of them.
const (
	// Unreachable: no server answered at the address, or the connection broke.
	// Trying again later may work.
	Unreachable Class = "unreachable"
	// Busy: the server answered that it cannot right now: too many parts or
	// queries, no memory, no keeper. Trying again later may work.
	Busy Class = "busy"
	// Credentials: the server does not accept who we are.
	Credentials Class = "credentials"
	// Forbidden: it does, but not for this; or it is read-only.
	Forbidden Class = "forbidden"
	// Schema: a database, table or column is not what this program expects.
	Schema Class = "schema"
	// Full: the server has no space left on its disks.
	Full Class = "full"
	// Unsupported: the server is too old for what was asked.
	Unsupported Class = "unsupported"
	// Cancelled: we were told to stop.
	Cancelled Class = "cancelled"
	// Invalid: the server does not accept the statement or its data.
	Invalid Class = "invalid"
)

// Error is what the warehouse did wrong, with what to do about it.
type Error struct {
	Class Class
	// Doing says what was attempted: "connecting to 127.0.0.1:9000".
	Doing string
	// Code is ClickHouse's own number of the error, 0 when the server said none.
	Code int32
	// Hint tells the operator what to do; "" when the error says it all.
	Hint string
	Err  error
}

// Error writes one line: what was attempted, what went wrong, what to do.
func (e *Error) Error() string {
	s := e.Doing + ": " + e.Err.Error()
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary tells whether the same thing may work when it is tried again later.
func (e *Error) Temporary() bool { return e.Class == Unreachable || e.Class == Busy }

// fail turns an error of the driver into an *Error. It is the only place that
// looks into the driver's errors. nil stays nil.
func fail(err error, doing string) error {
	if err == nil {
		return nil
	}
	err = cause(err)
	e := &Error{Class: Invalid, Doing: doing, Err: err}
	var server *clickhouse.Exception
	switch {
	case errors.As(err, &server):
		e.Code = server.Code
		e.Class = classOf(proto.Error(server.Code))
	case errors.Is(err, context.Canceled):
		e.Class = Cancelled
	case errors.Is(err, errColumnType):
		e.Class = Schema
	case errors.Is(err, errReadOnly), errors.Is(err, errMoved), errors.Is(err, errBehind):
		e.Class = Busy
	default:
		e.Class = classWithoutCode(err)
	}
	e.Hint = hintFor(e.Class)
	if proto.Error(e.Code) == proto.ErrAccessDenied {
		e.Hint = "`meterhouse check` names each right that is missing, with its GRANT"
	}
	return e
}

// cause takes off the wrappers that hide the reason: OpError has no Unwrap, and
// url.Error repeats the whole URL, statement included.
func cause(err error) error {
	var op *clickhouse.OpError
	if errors.As(err, &op) {
		return cause(op.Err)
	}
	var u *url.Error
	if errors.As(err, &u) {
		return cause(u.Err)
	}
	return err
}

// classOf sorts ClickHouse's own error codes. deploy/docs/servers.md shows them
// as a table.
func classOf(code proto.Error) Class {
	switch code {
	case proto.ErrUnknownUser, proto.ErrWrongPassword, proto.ErrRequiredPassword,
		proto.ErrAuthenticationFailed, proto.ErrIPAddressNotAllowed:
		return Credentials
	case proto.ErrReadonly, proto.ErrReadonlySetting, proto.ErrAccessDenied, proto.ErrDatabaseAccessDenied:
		return Forbidden
	case proto.ErrTooManyParts, proto.ErrMemoryLimitExceeded, proto.ErrTooManySimultaneousQueries,
		proto.ErrTimeoutExceeded, proto.ErrTableIsReadOnly, proto.ErrNoZookeeper, proto.ErrKeeperException,
		proto.ErrServerOverloaded, proto.ErrSocketTimeout, proto.ErrNetworkError,
		proto.ErrQueryWasCancelled, proto.ErrQueryWasCancelledByClient,
		proto.ErrAborted, proto.ErrUnknownStatusOfInsert, proto.ErrTooFewLiveReplicas, proto.ErrUnsatisfiedQuorumForPreviousWrite,
		proto.ErrAllConnectionTriesFailed, proto.ErrAllReplicasAreStale, proto.ErrCannotAllocateMemory:
		return Busy
	case proto.ErrNotEnoughSpace, proto.ErrCannotWriteToFileDescriptor, proto.ErrCannotWriteToOstream:
		return Full
	case proto.ErrUnknownDatabase, proto.ErrUnknownTable, proto.ErrUnknownIdentifier,
		proto.ErrThereIsNoColumn, proto.ErrNoSuchColumnInTable:
		return Schema
	case proto.ErrUnknownSetting:
		return Unsupported
	}
	return Invalid
}

// classWithoutCode sorts errors that carry no code of ClickHouse: of the network,
// and of proxies and load balancers in front of an HTTP interface.
func classWithoutCode(err error) Class {
	var status *clickhouse.HTTPError
	if errors.As(err, &status) {
		switch status.StatusCode {
		case http.StatusUnauthorized:
			return Credentials
		case http.StatusForbidden:
			return Forbidden
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return Busy
		}
		return Invalid
	}
	var network net.Error
	var late *timeout
	if errors.As(err, &network) || errors.As(err, &late) {
		return Unreachable
	}
	for _, broken := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE,
		context.DeadlineExceeded, clickhouse.ErrConnectionClosed, clickhouse.ErrAcquireConnTimeout,
	} {
		if errors.Is(err, broken) {
			return Unreachable
		}
	}
	return Invalid
}

func hintFor(class Class) string {
	switch class {
	case Credentials:
		return "check the user in warehouse.url and its password"
	case Schema:
		return "run `meterhouse migrate`; `meterhouse check` compares every column"
	case Full:
		return "free space on the warehouse's disk"
	}
	return ""
}
