package config

import (
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// credentialKeys are the settings of which exactly one is set.
var credentialKeys = []string{"api_key", "api_key_file", "bearer_token", "bearer_token_file"}

// environmentKey is where the vendor's own tools look for a key.
const environmentKey = "WHEROBOTS_API_KEY"

// variables of the environment are read when no setting has a credential. Of them at most one is set, too.
var variables = []struct {
	name string
	set  func(c *source.Credentials, value string)
}{
	{environmentKey, func(c *source.Credentials, value string) { c.APIKey = source.Secret(value) }},
	{"WHEROBOTS_API_KEY_FILE", func(c *source.Credentials, value string) { c.APIKeyFile = value }},
	{"WHEROBOTS_BEARER_TOKEN_FILE", func(c *source.Credentials, value string) { c.BearerTokenFile = value }},
}

// credential makes sure that there is exactly one, and that it can be sent, now or later.
func (p *parser) credential(getenv func(string) string) {
	var given []string
	for _, key := range credentialKeys {
		if p.given[key] != "" {
			given = append(given, key)
		}
	}
	if len(given) == 0 {
		given = p.environment(getenv)
	}
	one := strings.Join(credentialKeys, ", ")
	switch {
	case len(given) > 1:
		p.refuse(strings.Join(given, ", "), "", "only one credential can be used; allowed: exactly one of %s", one)
	case len(given) == 0:
		p.refuse(
			"api_key", "", "no credential is set; allowed: exactly one of %s, or %s in the environment", one,
			variableNames(),
		)
	default:
		if err := p.cfg.Credentials.Check(); err != nil {
			p.errs = append(p.errs, err)
		}
	}
}

// environment takes the credential from there, and returns the names of the variables that have one.
func (p *parser) environment(getenv func(string) string) (given []string) {
	for _, v := range variables {
		if value := strings.TrimSpace(getenv(v.name)); value != "" {
			given = append(given, v.name)
			v.set(&p.cfg.Credentials, value)
			p.cfg.Credentials.Variable = v.name
		}
	}
	return given
}

// variableNames lists the variables for a message.
func variableNames() string {
	names := make([]string, len(variables))
	for i, v := range variables {
		names[i] = v.name
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
