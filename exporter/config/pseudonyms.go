package config

import (
	"slices"
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/pseudonym"
)

var pseudonymsAllowed = "a list of " + strings.Join(pseudonym.Columns, ", ")

// parseColumns reads a list of columns for pseudonyms.
func parseColumns(value string) (columns []string, err error) {
	for _, name := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		name = strings.ToLower(name)
		if !slices.Contains(pseudonym.Columns, name) {
			return nil, errNotAllowed
		}
		if !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	return columns, nil
}

// pseudonyms makes sure that there is a key: without it events would name people, or nothing would be sent.
func (p *parser) pseudonyms() {
	switch wanted, file := p.given["pseudonymize"], p.given["pseudonymize_key_file"]; {
	case !p.sound("pseudonymize"):
	case wanted == "" && file != "":
		p.refuse("pseudonymize_key_file", "", "is the key of no pseudonyms; allowed: with pseudonymize")
	case wanted != "" && file == "":
		p.refuse("pseudonymize", logline.Quoted(wanted), "has no key; allowed: with pseudonymize_key_file")
	case wanted != "":
		if _, err := pseudonym.LoadKey(file); err != nil {
			p.errs = append(p.errs, err)
		}
	}
}
