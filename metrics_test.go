package main

import (
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

// Every field of Stats is shown, each by one figure: a figure that nobody can
// see, or one that shows its neighbour, is how an alert stays silent.
func TestEveryStatHasItsFigure(t *testing.T) {
	fields := reflect.TypeFor[exporter.Stats]()
	for n := range fields.NumField() {
		var stats exporter.Stats
		field := reflect.ValueOf(&stats).Elem().Field(n)
		if field.CanInt() {
			field.SetInt(7)
		} else {
			field.SetFloat(7)
		}
		var shown []string
		for _, f := range figures {
			if math.Abs(f.value(stats)-7) < 1e-9 {
				shown = append(shown, f.name)
			}
		}
		assert.Len(t, shown, 1, "figures that show %s", fields.Field(n).Name)
	}
	assert.Len(t, figures, fields.NumField())
}

// Names follow Prometheus' habits: counters end in _total, units are base units.
func TestFigureNames(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for _, f := range figures {
		assert.Regexp(t, name, f.name)
		assert.Equal(t, !f.gauge, strings.HasSuffix(f.name, "_total"), f.name)
		assert.NotEmpty(t, f.help, f.name)
	}
}
