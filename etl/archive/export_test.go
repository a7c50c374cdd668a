package archive

// For tests of what has no exported name.
var (
	Escape   = escape
	ParseKey = parseKey
	FolderOf = folderOf
)
