package schema

// Shift is what a restatement of license usage made of the total of one product
// and metric: the sum of hwm_quantity over servers and bundles, before and after.
// A total over all products would hide what moved from one to another.
type Shift struct {
	ProductID      int64
	ProductName    string
	MetricID       int32
	MetricCodeName string
	// Earlier and Later are 0 where the product is not in that load.
	Earlier, Later int64
}
