package config

import (
	"net/url"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// Config is one configuration file with every default filled in, every
// relative path made absolute and every secret read.
type Config struct {
	Warehouse Warehouse
	Sources   []Source
	// Guards are the defaults of the sources' guards, which have them merged in.
	Guards Guards
	// Restatements are the defaults of the sources' own.
	Restatements Restatements
	// PublishDelay is the wait between the last acknowledged insert of a load
	// and its publication.
	PublishDelay time.Duration
	Archive      Archive
	Serve        Serve
	Notify       []Notify
	Log          Log
	// Warnings are what the operator should know although it stops nothing.
	Warnings []Fault
}

// Kinds of warehouses.
const (
	WarehouseEmbedded = "embedded" // ClickHouse in this process
	WarehouseNative   = "native"   // a server, over ClickHouse's native protocol
	WarehouseHTTP     = "http"     // a server, over ClickHouse's HTTP interface
)

// Warehouse says which ClickHouse holds the tables.
type Warehouse struct {
	Kind string
	// Dir and Listen are the embedded warehouse's data folder and the loopback
	// address of its HTTP interface, "" for a free port.
	Dir    string
	Listen string
	// Libchdb is the library named by METERHOUSE_LIBCHDB, "" to look for it.
	Libchdb string
	// Hosts are host:port of the replicas to connect to, the first one first.
	Hosts    []string
	Secure   bool   // TLS
	CAFile   string // PEM file of the authorities to trust, "" for the system's
	Database string
	User     string
	Password Secret
	// DialTimeout bounds connecting to one host, ReadTimeout one statement; 0 for
	// the defaults of package load.
	DialTimeout, ReadTimeout time.Duration
	// Cluster is a ClickHouse cluster name, "" for a single server.
	Cluster string
}

// Places where a bigfix token travels.
const (
	TokenInHeader = "header"
	TokenInQuery  = "query"
)

// Source is one configured server.
type Source struct {
	Name string
	Kind string // schema.KindBigFix or schema.KindNexthink
	URL  *url.URL
	// Token is the API token (bigfix). Without one, User and Password fetch it.
	Token    Secret
	TokenIn  string // bigfix: TokenInHeader or TokenInQuery
	User     string
	Password Secret
	TLS      TLS
	// Location is the source's own time zone: it decides what a day is.
	Location *time.Location
	Schedule string // robfig/cron standard spec, read in Location
	// Start is the first day that a catch-up goes back to, if HasStart.
	Start       schema.Day
	HasStart    bool
	RecheckDays int
	Parallel    int // requests in flight
	MaxRetries  int
	// RequestTimeout bounds one request, its whole answer included.
	RequestTimeout time.Duration
	// MaxBytes bounds one answer, decompressed.
	MaxBytes int64
	Guards   Guards
	// Restatements say which changes of published days an operator is told of.
	Restatements Restatements

	// What only a bigfix source has.

	ComputerGroups []int64  // empty: the token's own group
	ServerColumns  []string // columns of the server association, at least one
	PageSize       int      // rows, 0 for one streamed request
	Criteria       string   // JSON on one line, "" for none
	ProductTotals  bool     // pull the products' own totals, too
	WaitForImport  bool     // pull a day only when the server's import has finished it
	RecheckDeep    RecheckDeep

	// What only a nexthink source has.

	Format string // json, csv or table
	// Aliases are further keys of the portal's answers per column of the warehouse.
	Aliases map[string][]string
	// DateLayout is how the portal writes dates, in Go's notation; "" for forms
	// that can be read in one way only.
	DateLayout   string
	DecimalComma bool // 1,5 is one and a half
	Targets      []Target
}

// RecheckDeep pulls days again that were published before the recheck window.
type RecheckDeep struct {
	Days  int           // how many of the last ended days, 0 for none
	Every time.Duration // how long each is left alone
}

// TLS says how a source's certificate is judged.
type TLS struct {
	CAFile             string // PEM file of the authorities to trust, "" for the system's
	ServerName         string // name expected in the certificate, "" for the URL's host
	InsecureSkipVerify bool
}

// Target is one metering target of a nexthink source; every list is a feed.
type Target struct {
	Name       string
	Metric     string
	Program    string   // "" for all programs of the metric
	Hierarchy  string   // "" for the portal's first
	Path       []string // node names from the top, empty for the user's whole view domain
	Lists      []string // installed, underusage
	WindowDays uint16   // the metric's look-back window, 0 when unknown
}

// Guards stop a load that looks wrong before readers see it.
type Guards struct {
	MinRows    uint64  // fewer rows are refused
	MaxShrink  float64 // share of rows that may vanish, 0 to 1
	MaxRejects float64 // share of rows that may be rejects, 0 to 1
	AllowEmpty bool    // publish no rows although the feed has had some
}

// What a load is worth whose raw responses could not be archived.
const (
	ArchiveRequired   = "required"    // nothing: it fails, and is pulled again by the next pass
	ArchiveBestEffort = "best_effort" // it is published, and its ledger row says so
)

// Archive is where raw responses are kept. The zero Archive keeps none.
type Archive struct {
	// URL is file:///absolute/folder or s3://bucket/prefix, nil for no archive.
	URL *url.URL
	// Endpoint is the S3 server, nil for Amazon's own; Region its region and
	// CAFile a PEM file of the authorities to trust, "" for the system's.
	Endpoint *url.URL
	Region   string
	CAFile   string
	// AccessKey, SecretKey and SessionToken sign the requests to it. They are
	// only read for commands that use the archive.
	AccessKey    Secret
	SecretKey    Secret
	SessionToken Secret
	KeepDays     int    // after the pull; 0 keeps them for ever
	Policy       string // ArchiveRequired or ArchiveBestEffort
}

// Restatements say what is worth telling of days that change after they were
// published.
type Restatements struct {
	// AlertAbove is the share, 0 to 1, by which a figure may change; 1 for any.
	AlertAbove float64
}

// Serve is the daemon's HTTP.
type Serve struct {
	Listen string // host:port, "" to listen nowhere
}

// Notify is one place that operators are told at.
type Notify struct {
	Key string // notify[0]: how it is named where the URL must not be shown
	// URL is one of the library shoutrrr's. It is only read for commands that
	// talk to the sources.
	URL Secret
}

// Log says how logs look.
type Log struct {
	Level  string // debug, info, warn or error
	Format string // json or console
}

func defaultGuards() Guards {
	return Guards{MaxShrink: 0.5, MaxRejects: 0.01}
}

func defaultRestatements() Restatements { return Restatements{AlertAbove: 0.05} }
