package config

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// kind completes a setting with what settings of one kind have alike.
type kind func(s *setting)

// anyText is a text of any form.
func anyText(set func(*Config, string)) kind {
	return func(s *setting) {
		s.allowed = "text"
		s.set = func(c *Config, value string) error {
			set(c, value)
			return nil
		}
	}
}

// secretText is text that must not be shown.
func secretText(set func(*Config, string)) kind {
	return func(s *setting) {
		anyText(set)(s)
		s.hidden = true
	}
}

// baseURL is an http or https URL that paths are added to.
func baseURL(set func(*Config, parsedURL)) kind {
	return func(s *setting) {
		s.allowed, s.isURL = "a base URL such as "+s.standard, true
		s.set = func(c *Config, value string) error {
			u, err := parseBaseURL(value)
			if err == nil {
				set(c, u)
			}
			return err
		}
	}
}

// duration is a time from least to most.
func duration(least, most time.Duration, field func(*Config) *time.Duration) kind {
	return func(s *setting) {
		s.allowed = fmt.Sprintf(
			"a duration from %s to %s, such as %s", logline.Duration(least), logline.Duration(most), s.standard)
		s.set = func(c *Config, value string) error {
			d, err := parseDuration(value)
			if err != nil {
				return err
			}
			if d < least || d > most {
				return errNotAllowed
			}
			*field(c) = d
			return nil
		}
	}
}

// optionalDuration is a duration that may be 0 as well.
func optionalDuration(least, most time.Duration, field func(*Config) *time.Duration) kind {
	return func(s *setting) {
		duration(least, most, field)(s)
		bounded := s.set
		s.allowed = "0, or " + strings.TrimSuffix(s.allowed, ", such as 0")
		s.set = func(c *Config, value string) error {
			if d, err := parseDuration(value); err == nil && d == 0 {
				*field(c) = 0
				return nil
			}
			return bounded(c, value)
		}
	}
}

// label is a short text of one line.
func label(field func(*Config) *string) kind {
	return func(s *setting) {
		s.allowed = "text of at most 200 bytes, of characters that can be printed"
		s.set = func(c *Config, value string) error {
			odd := func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }
			if len(value) > 200 || strings.ContainsFunc(value, odd) {
				return errNotAllowed
			}
			*field(c) = value
			return nil
		}
	}
}

// boolean is on or off.
func boolean(field func(*Config) *bool) kind {
	return func(s *setting) {
		s.allowed = "on or off"
		s.set = func(c *Config, value string) (err error) {
			*field(c), err = parseBool(value)
			return err
		}
	}
}

// oneOf is one of a few words, in whatever case.
func oneOf(values []string, set func(*Config, string)) kind {
	return func(s *setting) {
		s.allowed, s.words = strings.Join(values, ", "), values
		s.set = func(c *Config, value string) error {
			for _, v := range values {
				if strings.EqualFold(v, value) {
					set(c, v)
					return nil
				}
			}
			return errNotAllowed
		}
	}
}
