package status

// pen writes text with colours, or without: its zero value has none.
type pen struct{ colours bool }

// colour is the parameter of the escape sequence that turns it on.
type colour string

const (
	plain     colour = ""
	bold      colour = "1"
	green     colour = "32"
	cyan      colour = "36"
	boldGreen colour = "1;32"
	boldRed   colour = "1;31"
	onBlue    colour = "1;97;44"
	onYellow  colour = "1;30;43"
	onMagenta colour = "1;97;45"
	onRed     colour = "1;97;41"
)

func (p pen) paint(c colour, text string) string {
	if !p.colours || c == plain || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}
