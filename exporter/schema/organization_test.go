package schema

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
)

var ofAcme = Organization{Name: "Acme GmbH", ID: "org-7"}

// Whose event it is stands in every record, good, bad or the plugin's own, and changes nothing else.
func TestTheOrganizationIsInEveryRecord(t *testing.T) {
	ecs, ocsf := readECSFacts(t), readOCSFFacts(t)
	for _, c := range schemaCases {
		for _, schema := range allSchemas {
			for _, o := range []Organization{ofAcme, {Name: "Acme GmbH"}, {ID: "org-7"}} {
				with, without := c.of(t, schema, o), leaves(c.record(t, schema))
				switch schema {
				case ECS:
					ecs.check(t, with)
				case OCSF, OCSFFine:
					require.NoError(t, ocsf.check(with), c.name)
				}
				got := leaves(with)
				for place, value := range map[Name]map[string]string{
					Raw:  {"organization": o.Name, "organization_id": o.ID},
					ECS:  {"organization.name": o.Name, "organization.id": o.ID},
					OCSF: {"metadata.tenant_uid": o.tenant()}, OCSFFine: {"metadata.tenant_uid": o.tenant()},
				}[schema] {
					if value != "" && (schema != Raw || without[place] == nil) {
						require.Equal(t, []any{value}, got[place], "%s: %s", c.name, place)
						delete(got, place)
					}
				}
				require.Equal(t, without, got, c.name)
			}
		}
	}
}

// of encodes the case for an organization.
func (c schemaCase) of(t *testing.T, schema Name, o Organization) map[string]any {
	if c.status != nil {
		s := *c.status
		s.Organization = o
		return records.Record(t, AppendStatus(nil, schema, s))
	}
	r := c.row(t)
	e := NewOf(schema, r.Columns, o)
	first := e.Append(nil, r)
	require.Equal(t, first, e.Append(nil, r), "the template's record is the same")
	return records.Record(t, first)
}

// A column of the source with the name is the source's.
func TestAColumnNamedOrganizationStays(t *testing.T) {
	c := schemaCase{
		header: []string{"event_time", "action_name", "organization"},
		fields: []string{"2026-03-04T05:06:07Z", "x", "the source's"},
	}
	require.Equal(t, map[string]any{
		"event_time": "2026-03-04T05:06:07Z", "action_name": "x", "organization": "the source's", "organization_id": "org-7",
	}, c.of(t, Raw, ofAcme))
}

// Any number of columns is no hindrance: rows of raw are written in one step, as without an organization.
func TestTheOrganizationOfManyColumns(t *testing.T) {
	c := schemaCase{header: []string{"event_time", "action_name"}, fields: []string{"t", "a"}}
	for i := range 300 {
		c.header, c.fields = append(c.header, fmt.Sprintf("c%d", i)), append(c.fields, "v")
	}
	require.Len(t, c.of(t, Raw, ofAcme), 304)
	r := c.row(t)
	for _, schema := range allSchemas {
		shape := NewOf(schema, r.Columns, ofAcme)
		buffer := make([]byte, 0, 1<<20)
		shape.Append(buffer, r)
		require.Zero(t, testing.AllocsPerRun(100, func() { shape.Append(buffer, r) }), schema)
	}
}
