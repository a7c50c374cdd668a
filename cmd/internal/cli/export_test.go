package cli

// For tests of what has no exported name.
var Fitting = fitting
