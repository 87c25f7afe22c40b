package schema

import (
	"cmp"
	"slices"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// Organization is whose audit log it is. The export does not say it, and who collects several must tell them apart.
type Organization struct{ Name, ID string }

// tenant is what there is one place for: the id, or without one the name.
func (o Organization) tenant() string { return cmp.Or(o.ID, o.Name) }

// NewOf is New for the events of an organization; with none it is the same.
func NewOf(schema Name, c *event.Columns, o Organization) *Encoder {
	if o == (Organization{}) {
		return New(schema, c)
	}
	def, table := rawDef, []field(nil)
	switch schema {
	case ECS:
		def, table = ecsDef, auditFields
	case OCSF, OCSFFine:
		def, table = ocsfDef, auditFields
	}
	own := o.constants(schema, c.Names)
	def.constants = append(slices.Clone(def.constants), own...)
	e := compile(&def, table, c.Names)
	if schema == OCSFFine {
		return e.addClasses(c, own)
	}
	return e
}

// constants are its fields. A column of the source that has such a name in raw is the source's word, and stays.
func (o Organization) constants(schema Name, columns []string) (list []constant) {
	places := map[string]string{"organization": o.Name, "organization_id": o.ID}
	switch schema {
	case ECS:
		places = map[string]string{"organization.name": o.Name, "organization.id": o.ID}
	case OCSF, OCSFFine:
		places = map[string]string{"metadata.tenant_uid": o.tenant()}
	}
	for place, value := range places {
		if value != "" && (schema != Raw || !slices.Contains(columns, place)) {
			list = append(list, constant{place, value, always})
		}
	}
	slices.SortFunc(list, func(a, b constant) int { return cmp.Compare(a.place, b.place) })
	return list
}
