package nexthinktest

// Metric is one software metering metric of the simulated Portal.
type Metric struct {
	UID, Name string
	Programs  []Program
}

// Program is one program of a metric.
type Program struct {
	UID, Name string
	// binaries are the significant ones, the program itself first.
	binaries []string
	// share is how many of 1000 devices have the package.
	share int
}

// Metrics lists what the simulated Portal meters. The first metric and its
// first program have the UIDs of the example on Nexthink's page.
func Metrics() []Metric {
	return []Metric{
		{UID: "52fa2b8b-b35e-4d7a-9db3-830617c5b6b2", Name: "Microsoft Visio", Programs: []Program{
			{UID: "8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9", Name: "Visio Professional", binaries: []string{"visio.exe", "vviewer.exe"}, share: 110},
			{UID: "1d2f2f0e-6a52-4c0a-8d0b-6a1f1c0c5e11", Name: "Visio Standard", binaries: []string{"visio.exe"}, share: 60},
		}},
		{UID: "7c0a3e52-1f7d-4f0b-9f5e-2b8a6d9c4e21", Name: "Microsoft Project", Programs: []Program{
			{UID: "c2b7a1d4-5e3f-4a6b-8c9d-0e1f2a3b4c31", Name: "Project Professional", binaries: []string{"winproj.exe"}, share: 70},
		}},
		{UID: "a94f1b6c-3d28-4e57-b0c1-5f6e7d8c9b41", Name: "Autodesk AutoCAD", Programs: []Program{
			{UID: "e5d4c3b2-a190-4f8e-9d7c-6b5a49382751", Name: "AutoCAD", binaries: []string{"acad.exe", "accoreconsole.exe", "AdskLicensingAgent.exe"}, share: 40},
		}},
		{UID: "f3e2d1c0-b9a8-4776-8554-4332211000a1", Name: "Adobe Acrobat", Programs: []Program{
			{UID: "0f1e2d3c-4b5a-4697-8877-665544332261", Name: "Acrobat Pro", binaries: []string{"Acrobat.exe", "Acrobat Elements.exe", "acrodist.exe"}, share: 450},
		}},
	}
}

// The hierarchies. Both slice the same entities; the first is the default.
const (
	LocationHierarchy = "DefaultHierarchy"
	BusinessHierarchy = "Business units"
)

// site is an entity: the lowest level of every hierarchy.
type site struct {
	code     string   // how its devices' names begin
	location []string // nodes from the top down, the entity last
	business string   // the node above it in the other hierarchy
	weight   int      // how many of the devices stand here, relatively
}

func (s *site) entity() string { return s.location[len(s.location)-1] }

// path is where the site hangs in a hierarchy, nil for an unknown one.
func (s *site) path(hierarchy string) []string {
	switch hierarchy {
	case LocationHierarchy:
		return s.location
	case BusinessHierarchy:
		return []string{s.business, s.entity()}
	}
	return nil
}

// sites are the entities. Their names hold what names hold in real estates:
// spaces, letters of other scripts, an ampersand and a slash.
func sites() []site {
	return []site{
		{"LAU", []string{"Europe", "Switzerland", "Lausanne"}, "Headquarters", 14},
		{"ZRH", []string{"Europe", "Switzerland", "Zürich"}, "Services", 11},
		{"BER", []string{"Europe", "Germany", "Berlin"}, "Services", 9},
		{"MUC", []string{"Europe", "Germany", "München"}, "Manufacturing", 13},
		{"LYS", []string{"Europe", "France", "Lyon"}, "Manufacturing", 8},
		{"LCG", []string{"Europe", "Spain", "A Coruña"}, "Services", 3},
		{"NYC", []string{"Americas", "United States", "New York"}, "Services", 12},
		{"RDL", []string{"Americas", "United States", "R&D / Lab 3"}, "Research", 5},
		{"GRU", []string{"Americas", "Brazil", "São Paulo"}, "Manufacturing", 7},
		{"TYO", []string{"Asia Pacific", "Japan", "東京"}, "Research", 6},
		{"SIN", []string{"Asia Pacific", "Singapore", "Singapore"}, "Services", 5},
		{"PNQ", []string{"Asia Pacific", "India", "Pune"}, "Services", 7},
	}
}
