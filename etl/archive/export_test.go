package archive

// For tests of what has no exported name.
var (
	Escape   = escape
	ParseKey = parseKey
	FolderOf = folderOf
)

// Folder is where a recording keeps its answers.
func (r *Recording) Folder() string { return r.spool.dir }
