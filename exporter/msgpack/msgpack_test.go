package msgpack

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJSONOfEachForm(t *testing.T) {
	long := strings.Repeat("x", 300)
	for want, data := range map[string][]byte{
		"7": {0x07}, "-1": {0xff}, "null": {0xc0}, "false": {0xc2}, "true": {0xc3},
		"200": {0xcc, 200}, "513": {0xcd, 2, 1}, "16909060": {0xce, 1, 2, 3, 4},
		"18446744073709551615": {0xcf, 255, 255, 255, 255, 255, 255, 255, 255},
		"-2":                   {0xd0, 0xfe}, "-3": {0xd1, 0xff, 0xfd}, "-4": {0xd2, 255, 255, 255, 0xfc},
		"-5":                     {0xd3, 255, 255, 255, 255, 255, 255, 255, 0xfb},
		"1.5":                    {0xca, 0x3f, 0xc0, 0, 0},
		"0.25":                   {0xcb, 0x3f, 0xd0, 0, 0, 0, 0, 0, 0},
		`"a\n"`:                  {0xa2, 'a', '\n'},
		`"` + long + `"`:         append([]byte{0xda, 1, 44}, long...),
		`"b"`:                    {0xd9, 1, 'b'},
		`"AQI="`:                 {0xc4, 2, 1, 2},
		`"AAAAAAEAAAAC"`:         {0xd7, 0, 0, 0, 0, 1, 0, 0, 0, 2},
		`[1,[],{"k":{"z":2}},3]`: {0x94, 1, 0x90, 0x81, 0xa1, 'k', 0x81, 0xa1, 'z', 2, 3},
		`{"z":1,"a":2}`:          {0xde, 0, 2, 0xa1, 'z', 1, 0xa1, 'a', 2},
		`[4]`:                    {0xdc, 0, 1, 4},
	} {
		text, err := JSON(data)
		require.NoError(t, err, want)
		require.Equal(t, want, string(text))
		ends, err := Ends(append(bytes.Clone(data), data...))
		require.NoError(t, err)
		require.Equal(t, []int{len(data), 2 * len(data)}, ends, want)
		for short := range len(data) {
			_, err := JSON(data[:short])
			require.ErrorIs(t, err, ErrMalformed, "%s cut at %d", want, short)
		}
	}
}

func TestElements(t *testing.T) {
	elements, err := Elements([]byte{0x92, 0xa1, 'x', 0x81, 1, 2})
	require.NoError(t, err)
	require.Equal(t, [][]byte{{0xa1, 'x'}, {0x81, 1, 2}}, elements)
	for _, data := range [][]byte{{}, {1}, {0x92, 1}, {0xc1}} {
		_, err := Elements(data)
		require.ErrorIs(t, err, ErrMalformed)
	}
}

func TestMalformedIsRefused(t *testing.T) {
	for _, data := range [][]byte{
		{0xc1}, {0xdd, 0xff, 0xff, 0xff, 0xff}, {0xdf, 0xff, 0xff, 0xff, 0xff, 1}, bytes.Repeat([]byte{0x91}, 100_000),
	} {
		_, err := Ends(data)
		require.ErrorIs(t, err, ErrMalformed)
	}
}
