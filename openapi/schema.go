package openapi

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// Schema says what a value looks like (JSON Schema 2020-12, as far as it is used).
type Schema struct {
	Ref        string             `json:"$ref,omitempty"`
	Type       string             `json:"type,omitempty"`
	Format     string             `json:"format,omitempty"`
	About      string             `json:"description,omitempty"`
	Enum       []string           `json:"enum,omitempty"`
	Items      *Schema            `json:"items,omitempty"`
	Properties map[string]*Schema `json:"properties,omitempty"`
	Required   []string           `json:"required,omitempty"`
	Values     *Schema            `json:"additionalProperties,omitempty"`
	AnyOf      []*Schema          `json:"anyOf,omitempty"`
	AllOf      []*Schema          `json:"allOf,omitempty"`
	XML        *XML               `json:"xml,omitempty"`

	name string // under which a document keeps it; "": in place
}

// XML says how a value stands in XML.
type XML struct {
	Name      string `json:"name,omitempty"`
	Attribute bool   `json:"attribute,omitempty"`
}

// Named returns the schema as one that a document keeps once, by name.
func (s *Schema) Named(name string) *Schema {
	c := *s
	c.name = name
	return &c
}

// Element returns the schema with the name of its element in XML.
func (s *Schema) Element(name string) *Schema {
	c := *s
	c.XML = &XML{Name: name}
	return &c
}

// With returns the object with another property.
func (s *Schema) With(name string, p *Schema) *Schema {
	c := *s
	c.Properties = map[string]*Schema{name: p}
	for n, old := range s.Properties {
		c.Properties[n] = old
	}
	c.Required = append(append([]string(nil), s.Required...), name)
	return &c
}

// List returns a schema of arrays of s.
func (s *Schema) List() *Schema { return &Schema{Type: "array", Items: s} }

func (s *Schema) alternatives() []*Schema {
	if len(s.AnyOf) > 0 {
		return s.AnyOf
	}
	return []*Schema{s}
}

// collect puts named schemas into a document's parts and leads to them.
func (s *Schema) collect(named map[string]*Schema) *Schema {
	if s == nil {
		return nil
	}
	c := *s
	c.name = ""
	c.Items, c.Values = s.Items.collect(named), s.Values.collect(named)
	c.AnyOf, c.AllOf = collectAll(s.AnyOf, named), collectAll(s.AllOf, named)
	if s.Properties != nil {
		c.Properties = map[string]*Schema{}
	}
	for name, p := range s.Properties {
		c.Properties[name] = p.collect(named)
	}
	if s.name == "" {
		return &c
	}
	named[s.name] = &c
	return &Schema{Ref: "#/components/schemas/" + s.name}
}

func collectAll(list []*Schema, named map[string]*Schema) []*Schema {
	var all []*Schema
	for _, s := range list {
		all = append(all, s.collect(named))
	}
	return all
}

// Object returns the schema of an object. Each field is a text: its name, "!" if
// it is required, and after a colon its kind (string, email, date, uuid,
// boolean, integer, object, strings; string unless it says another), or the
// values it may have with "|" between them. Dots lead into objects.
func Object(fields ...string) *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{}}
	for _, text := range fields {
		f := parseField(text)
		s.place(strings.Split(f.name, "."), f)
	}
	return s
}

func (s *Schema) place(names []string, f field) {
	name, required := strings.CutSuffix(names[0], "!")
	if required || len(names) == 1 && f.required {
		s.require(name)
	}
	if len(names) == 1 {
		s.Properties[name] = f.schema
		return
	}
	inner := s.Properties[name]
	if inner == nil {
		inner = Object()
		s.Properties[name] = inner
	}
	inner.place(names[1:], f)
}

func (s *Schema) require(name string) {
	if !slices.Contains(s.Required, name) {
		s.Required = append(s.Required, name)
	}
}

// Attributes returns Object's schema with all its fields as attributes in XML.
func Attributes(element string, fields ...string) *Schema {
	s := Object(fields...)
	for _, p := range s.Properties {
		p.XML = &XML{Attribute: true}
	}
	return s.Element(element)
}

type field struct {
	name     string
	required bool
	schema   *Schema
}

func parseField(text string) field {
	name, kind, _ := strings.Cut(text, ":")
	name, required := strings.CutSuffix(name, "!")
	return field{name, required, schemaOf(kind)}
}

func schemaOf(kind string) *Schema {
	switch kind {
	case "":
		return &Schema{Type: "string"}
	case "email", "uuid", "password":
		return &Schema{Type: "string", Format: kind}
	case "date":
		return &Schema{Type: "string", Format: "date-time"}
	case "strings":
		return (&Schema{Type: "string"}).List()
	case "boolean", "integer", "object", "array":
		return &Schema{Type: kind}
	}
	return &Schema{Type: "string", Enum: strings.Split(kind, "|")}
}

// Of returns the schema of a value as encoding/json writes it.
func Of(v any) *Schema { return ofType(reflect.TypeOf(v)) }

func ofType(t reflect.Type) *Schema {
	if t == reflect.TypeFor[time.Time]() {
		return schemaOf("date")
	}
	switch t.Kind() {
	case reflect.Pointer:
		return ofType(t.Elem())
	case reflect.Struct:
		return ofStruct(t)
	case reflect.Slice:
		return ofType(t.Elem()).List()
	case reflect.Map:
		return &Schema{Type: "object", Values: ofType(t.Elem())}
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.Int, reflect.Int64:
		return &Schema{Type: "integer"}
	case reflect.Float64:
		return &Schema{Type: "number"}
	case reflect.String:
		return &Schema{Type: "string"}
	default:
		return &Schema{}
	}
}

func ofStruct(t reflect.Type) *Schema {
	s := &Schema{Type: "object"}
	for _, f := range reflect.VisibleFields(t) {
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if !f.IsExported() || !tagged || name == "-" {
			continue
		}
		if s.Properties == nil {
			s.Properties = map[string]*Schema{}
		}
		s.Properties[name] = ofType(f.Type)
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			s.Required = append(s.Required, name)
		}
	}
	return s
}
