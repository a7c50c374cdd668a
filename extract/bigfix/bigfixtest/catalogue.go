package bigfixtest

import (
	"cmp"
	"fmt"
	"slices"
)

// metric is a license metric as the API names it.
type metric struct {
	id   int32
	code string
}

// rule is how a product is counted, and so which metrics it has rows for.
type rule uint8

const (
	pvu rule = iota // cores times the processor's value units
	rvu             // managed cores
	vpc             // virtual cores
)

// metrics of a rule in the order of their ids. The id of VIRTUAL_PROCESSOR_CORE
// is in no public source; the one here is invented, and negative because ids may be.
func (r rule) metrics() []metric {
	switch r {
	case pvu:
		return []metric{{3, "PVU_FULL_CAP"}, {4, "PVU_SUB_CAP"}}
	case rvu:
		return []metric{{7, "RVU_FULL_CAP"}, {8, "RVU_SUB_CAP"}}
	default:
		return []metric{{-17014, "VIRTUAL_PROCESSOR_CORE"}}
	}
}

type bundle struct {
	id         int64
	name, guid string
}

type product struct {
	id           int64
	name, family string
	rule         rule
	share        float64 // of the servers have it
	weekend      float64 // of those use it on a Saturday or Sunday
	bundle       int64   // that half of its servers have it from; 0 for none
}

// line is one (product, metric, bundle), the unit in which rows are ordered.
type line struct {
	*product
	metric  metric
	bundle  bundle // id 0: not in a bundle
	fullCap bool
}

// lines are all lines in the order of the rows.
func lines() []line {
	bundles := map[int64]bundle{0: {}}
	for id, name := range map[int64]string{
		11: "IBM Cloud Pak for Integration",
		14: "IBM InfoSphere Information Server Enterprise Edition",
		17: "IBM WebSphere Hybrid Edition",
		23: "IBM Cloud Pak for Business Automation",
		29: "HCL BigFix Enterprise+",
	} {
		bundles[id] = bundle{id: id, name: name, guid: guid(name)}
	}
	var all []line
	for _, p := range products() {
		p.family = guid("family of " + p.name)
		for _, m := range p.rule.metrics() {
			full := m.id == 3 || m.id == 7
			all = append(all, line{product: &p, metric: m, fullCap: full})
			if p.bundle != 0 {
				all = append(all, line{product: &p, metric: m, fullCap: full, bundle: bundles[p.bundle]})
			}
		}
	}
	slices.SortFunc(all, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.metric.id, b.metric.id), cmp.Compare(a.bundle.id, b.bundle.id))
	})
	return all
}

func products() []product {
	return []product{
		{id: 24, name: "IBM InfoSphere QualityStage Address Verification Interface", rule: pvu, share: .01, weekend: .3, bundle: 14},
		{id: 31, name: "IBM InfoSphere DataStage", rule: pvu, share: .03, weekend: .8, bundle: 14},
		{id: 32, name: "IBM InfoSphere QualityStage", rule: pvu, share: .02, weekend: .5, bundle: 14},
		{id: 40, name: "IBM Db2 Enterprise Server Edition", rule: pvu, share: .14, weekend: .95},
		{id: 41, name: "IBM Db2 Advanced Edition", rule: vpc, share: .08, weekend: .95},
		{id: 45, name: "IBM Informix Enterprise Edition", rule: pvu, share: .02, weekend: .9},
		{id: 52, name: "IBM WebSphere Application Server Network Deployment", rule: pvu, share: .16, weekend: .9, bundle: 17},
		{id: 53, name: "IBM WebSphere Application Server", rule: pvu, share: .11, weekend: .85, bundle: 17},
		{id: 57, name: "IBM WebSphere eXtreme Scale", rule: pvu, share: .02, weekend: .8},
		{id: 60, name: "IBM MQ", rule: pvu, share: .13, weekend: .95, bundle: 11},
		{id: 61, name: "IBM MQ Advanced", rule: vpc, share: .06, weekend: .95, bundle: 11},
		{id: 66, name: "IBM App Connect Enterprise", rule: vpc, share: .05, weekend: .9, bundle: 11},
		{id: 67, name: "IBM Integration Bus", rule: pvu, share: .03, weekend: .8},
		{id: 70, name: "IBM API Connect", rule: vpc, share: .03, weekend: .85, bundle: 11},
		{id: 73, name: "IBM DataPower Gateway Virtual Edition", rule: pvu, share: .02, weekend: .9, bundle: 11},
		{id: 80, name: "IBM Cognos Analytics Server", rule: pvu, share: .03, weekend: .25},
		{id: 84, name: "IBM SPSS Statistics Server", rule: pvu, share: .02, weekend: .15},
		{id: 90, name: "IBM Business Automation Workflow Enterprise", rule: pvu, share: .03, weekend: .4, bundle: 23},
		{id: 91, name: "IBM Operational Decision Manager Server", rule: pvu, share: .03, weekend: .5, bundle: 23},
		{id: 94, name: "IBM FileNet Content Manager", rule: pvu, share: .03, weekend: .4, bundle: 23},
		{id: 103, name: "IBM Sterling B2B Integrator", rule: pvu, share: .02, weekend: .7},
		{id: 105, name: "IBM Sterling Connect:Direct for UNIX", rule: pvu, share: .07, weekend: .8},
		{id: 110, name: "IBM Spectrum Protect Extended Edition", rule: pvu, share: .2, weekend: .97},
		{id: 112, name: "IBM Spectrum Protect for Databases", rule: pvu, share: .1, weekend: .97},
		{id: 118, name: "IBM Tivoli Netcool/OMNIbus", rule: rvu, share: .03, weekend: .95},
		{id: 121, name: "IBM Tivoli Monitoring", rule: rvu, share: .18, weekend: .97},
		{id: 125, name: "IBM Workload Scheduler", rule: pvu, share: .08, weekend: .9},
		{id: 131, name: "IBM\u00ae Rational\u00ae ClearCase\u00ae MultiSite", rule: pvu, share: .01, weekend: .1},
		{id: 204, name: "HCL BigFix Lifecycle", rule: rvu, share: .22, weekend: .97, bundle: 29},
		{id: 206, name: "HCL BigFix Compliance", rule: rvu, share: .15, weekend: .97, bundle: 29},
		{id: 211, name: "HCL Domino Enterprise Server", rule: pvu, share: .06, weekend: .6},
		{id: 215, name: "HCL Commerce Enterprise", rule: pvu, share: .02, weekend: .98},
		{id: 220, name: "HCL Workload Automation", rule: pvu, share: .05, weekend: .9},
		{id: 226, name: "HCL OneDB Enterprise Edition", rule: vpc, share: .02, weekend: .9},
	}
}

// guid makes 32 hex digits that belong to a name.
func guid(name string) string {
	var a, b uint64 = 0x6d65746572, 0x686f757365
	for _, c := range []byte(name) {
		a = mix(a, uint64(c))
		b = mix(b, a)
	}
	return fmt.Sprintf("%016x%016x", a, b)
}
