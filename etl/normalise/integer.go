package normalise

import "math"

// maxFastDigits is how many decimal digits always fit an int64.
const maxFastDigits = 18

// parseInteger reads a decimal number whose value is whole and fits 64 bits: 3,
// -4, 8800.0, 8.8e3. It is exact: nothing passes through a float.
func parseInteger(b []byte) (int64, bool) {
	digits, negative := b, false
	if len(b) > 0 && b[0] == '-' {
		digits, negative = b[1:], true
	}
	if len(digits) == 0 {
		return 0, false
	}
	if len(digits) > maxFastDigits {
		return parseDecimal(digits, negative)
	}
	var n int64
	for _, c := range digits {
		if !isDigit(c) {
			return parseDecimal(digits, negative)
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// parseDecimal reads an unsigned number that has a fraction, an exponent or
// many digits.
func parseDecimal(b []byte, negative bool) (int64, bool) {
	digits, point, ok := splitDecimal(b)
	if !ok || point < len(digits) {
		return 0, false
	}
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	if len(digits) == 0 {
		return 0, true
	}
	var n uint64
	for i := range point {
		var digit uint64
		if i < len(digits) {
			digit = uint64(digits[i] - '0')
		}
		if n > (limit-digit)/10 {
			return 0, false
		}
		n = n*10 + digit
	}
	if negative {
		return int64(-n), true //nolint:gosec // two's complement: right for 1<<63 too
	}
	return int64(n), true
}

// splitDecimal takes apart digits[.digits][e[+-]digits]: the number is
// 0.digits times ten to the power of point, digits has no zeros at either end,
// and zero has no digits and point 0.
func splitDecimal(b []byte) (digits []byte, point int, ok bool) {
	whole, rest := leadingDigits(b)
	if len(whole) == 0 {
		return nil, 0, false
	}
	var fraction []byte
	if len(rest) > 0 && rest[0] == '.' {
		if fraction, rest = leadingDigits(rest[1:]); len(fraction) == 0 {
			return nil, 0, false
		}
	}
	exponent, ok := parseExponent(rest)
	if !ok {
		return nil, 0, false
	}
	digits = append(append(make([]byte, 0, len(b)), whole...), fraction...)
	point = len(whole) + exponent
	for len(digits) > 0 && digits[0] == '0' {
		digits, point = digits[1:], point-1
	}
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	if len(digits) == 0 {
		point = 0
	}
	return digits, point, true
}

// parseExponent reads nothing or e[+-]digits. An exponent of more than six
// digits belongs to no number that we could use.
func parseExponent(b []byte) (int, bool) {
	if len(b) == 0 {
		return 0, true
	}
	if b[0] != 'e' && b[0] != 'E' {
		return 0, false
	}
	b = b[1:]
	sign := 1
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		if b[0] == '-' {
			sign = -1
		}
		b = b[1:]
	}
	digits, rest := leadingDigits(b)
	if len(digits) == 0 || len(digits) > 6 || len(rest) > 0 {
		return 0, false
	}
	n := 0
	for _, c := range digits {
		n = n*10 + int(c-'0')
	}
	return sign * n, true
}

func leadingDigits(b []byte) (digits, rest []byte) {
	i := 0
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return b[:i], b[i:]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
