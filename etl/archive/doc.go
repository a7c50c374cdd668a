// Package archive keeps what the sources answered, byte for byte, so that a day
// can be loaded again when its source is gone or shows another day by now.
//
// A load is a folder source/feed/day/load_id of compressed answers and a
// manifest, which is written last: without it the folder is incomplete and
// counts for nothing. The folders lie in a directory or in an S3 bucket.
package archive
