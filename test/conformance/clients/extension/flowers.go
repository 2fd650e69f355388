package main

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/generic"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/names"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var version = schema.GroupVersion{Group: "garden.example.com", Version: "v1"}

// Flower is what this server keeps.
type Flower struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              FlowerSpec   `json:"spec,omitempty"`
	Status            FlowerStatus `json:"status,omitempty"`
}

// FlowerSpec is what somebody wants of a flower.
type FlowerSpec struct {
	Colour  string `json:"colour,omitempty"`
	Petals  int32  `json:"petals,omitempty"`
	Planter string `json:"planter,omitempty"`
}

// FlowerStatus is how it is.
type FlowerStatus struct {
	Blooming bool `json:"blooming,omitempty"`
}

// FlowerList is many of them.
type FlowerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Flower `json:"items"`
}

func (f *Flower) DeepCopyObject() runtime.Object {
	return &Flower{TypeMeta: f.TypeMeta, ObjectMeta: *f.ObjectMeta.DeepCopy(), Spec: f.Spec, Status: f.Status}
}

func (l *FlowerList) DeepCopyObject() runtime.Object {
	copied := &FlowerList{TypeMeta: l.TypeMeta, ListMeta: *l.ListMeta.DeepCopy()}
	for i := range l.Items {
		copied.Items = append(copied.Items, *l.Items[i].DeepCopyObject().(*Flower))
	}
	return copied
}

func (Flower) OpenAPIModelName() string       { return "com.example.garden.v1.Flower" }
func (FlowerSpec) OpenAPIModelName() string   { return "com.example.garden.v1.FlowerSpec" }
func (FlowerStatus) OpenAPIModelName() string { return "com.example.garden.v1.FlowerStatus" }
func (FlowerList) OpenAPIModelName() string   { return "com.example.garden.v1.FlowerList" }

func register(scheme *runtime.Scheme) {
	for _, one := range []schema.GroupVersion{version, {Group: version.Group, Version: runtime.APIVersionInternal}} {
		scheme.AddKnownTypes(one, &Flower{}, &FlowerList{})
	}
	metav1.AddToGroupVersion(scheme, version)
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	if err := scheme.SetVersionPriority(version); err != nil {
		panic(err)
	}
}

type strategy struct {
	runtime.ObjectTyper
	names.NameGenerator
	status bool
}

func (strategy) NamespaceScoped() bool          { return true }
func (strategy) AllowCreateOnUpdate() bool      { return false }
func (strategy) AllowUnconditionalUpdate() bool { return true }
func (strategy) Canonicalize(runtime.Object)    {}
func (strategy) WarningsOnUpdate(context.Context, runtime.Object, runtime.Object) []string {
	return nil
}

func (strategy) WarningsOnCreate(_ context.Context, object runtime.Object) []string {
	if object.(*Flower).Spec.Petals == 0 {
		return []string{"a flower without petals"}
	}
	return nil
}

// PrepareForCreate notes who planted it: what the server was told of the caller by the one in front of it.
func (strategy) PrepareForCreate(ctx context.Context, object runtime.Object) {
	flower := object.(*Flower)
	flower.Status = FlowerStatus{}
	if user, known := request.UserFrom(ctx); known {
		flower.Spec.Planter = fmt.Sprintf("%s %v %v", user.GetName(), user.GetGroups(), user.GetExtra())
	}
}

func (s strategy) PrepareForUpdate(_ context.Context, object, old runtime.Object) {
	next, last := object.(*Flower), old.(*Flower)
	if s.status {
		next.Spec = last.Spec
	} else {
		next.Status = last.Status
		next.Spec.Planter = last.Spec.Planter
	}
}

func (strategy) Validate(_ context.Context, object runtime.Object) field.ErrorList {
	if object.(*Flower).Spec.Colour == "" {
		return field.ErrorList{field.Required(field.NewPath("spec", "colour"), "flowers have one")}
	}
	return nil
}

func (s strategy) ValidateUpdate(ctx context.Context, object, _ runtime.Object) field.ErrorList {
	return s.Validate(ctx, object)
}

// GetResetFields: what apply does not own through this way.
func (s strategy) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	reset := "status"
	if s.status {
		reset = "spec"
	}
	return map[fieldpath.APIVersion]*fieldpath.Set{fieldpath.APIVersion(version.String()): fieldpath.NewSet(fieldpath.MakePathOrDie(reset))}
}

func attributes(object runtime.Object) (labels.Set, fields.Set, error) {
	flower := object.(*Flower)
	return flower.Labels, generic.ObjectMetaFieldsSet(&flower.ObjectMeta, true), nil
}

type flowerStore struct{ *genericregistry.Store }

func (flowerStore) ShortNames() []string { return []string{"fl"} }
func (flowerStore) Categories() []string { return []string{"garden"} }

type statusStore struct{ store *genericregistry.Store }

func (statusStore) New() runtime.Object { return &Flower{} }
func (statusStore) Destroy()            {}
func (s statusStore) Get(ctx context.Context, name string, options *metav1.GetOptions) (runtime.Object, error) {
	return s.store.Get(ctx, name, options)
}
func (s statusStore) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, create rest.ValidateObjectFunc, update rest.ValidateObjectUpdateFunc, _ bool, options *metav1.UpdateOptions) (runtime.Object, bool, error) {
	return s.store.Update(ctx, name, info, create, update, false, options)
}
func (s statusStore) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	return s.store.GetResetFields()
}
func (s statusStore) ConvertToTable(ctx context.Context, object, options runtime.Object) (*metav1.Table, error) {
	return s.store.ConvertToTable(ctx, object, options)
}

func store(getter generic.RESTOptionsGetter) (flowerStore, statusStore, error) {
	rules := strategy{scheme, names.SimpleNameGenerator, false}
	flowers := &genericregistry.Store{
		NewFunc: func() runtime.Object { return &Flower{} }, NewListFunc: func() runtime.Object { return &FlowerList{} },
		PredicateFunc: func(label labels.Selector, field fields.Selector) storage.SelectionPredicate {
			return storage.SelectionPredicate{Label: label, Field: field, GetAttrs: attributes}
		},
		DefaultQualifiedResource: version.WithResource("flowers").GroupResource(), SingularQualifiedResource: version.WithResource("flower").GroupResource(),
		CreateStrategy: rules, UpdateStrategy: rules, DeleteStrategy: rules, ResetFieldsStrategy: rules, TableConvertor: rest.NewDefaultTableConvertor(version.WithResource("flowers").GroupResource()),
	}
	if err := flowers.CompleteWithOptions(&generic.StoreOptions{RESTOptions: getter, AttrFunc: attributes}); err != nil {
		return flowerStore{}, statusStore{}, err
	}
	rules.status = true
	status := *flowers
	status.UpdateStrategy, status.ResetFieldsStrategy = rules, rules
	return flowerStore{flowers}, statusStore{&status}, nil
}

func ours(reference common.ReferenceCallback) map[string]common.OpenAPIDefinition {
	text := func(kind, format, description string) spec.Schema {
		return spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{kind}, Format: format, Description: description}}
	}
	of := func(name string) spec.Schema {
		return spec.Schema{SchemaProps: spec.SchemaProps{Default: map[string]any{}, Ref: reference(name)}}
	}
	object := func(description string, properties map[string]spec.Schema, required ...string) spec.Schema {
		return spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{"object"}, Description: description, Properties: properties, Required: required}}
	}
	list := text("array", "", "The flowers.")
	item := of(Flower{}.OpenAPIModelName())
	list.Items = &spec.SchemaOrArray{Schema: &item}
	apiVersion, kind := text("string", "", "The version."), text("string", "", "The kind.")
	meta, listMeta := metav1.ObjectMeta{}.OpenAPIModelName(), metav1.ListMeta{}.OpenAPIModelName()
	return map[string]common.OpenAPIDefinition{
		Flower{}.OpenAPIModelName(): {
			Schema:       object("A flower in a garden.", map[string]spec.Schema{"apiVersion": apiVersion, "kind": kind, "metadata": of(meta), "spec": of(FlowerSpec{}.OpenAPIModelName()), "status": of(FlowerStatus{}.OpenAPIModelName())}),
			Dependencies: []string{meta, FlowerSpec{}.OpenAPIModelName(), FlowerStatus{}.OpenAPIModelName()},
		},
		FlowerSpec{}.OpenAPIModelName():   {Schema: object("What is wanted.", map[string]spec.Schema{"colour": text("string", "", "Its colour."), "petals": text("integer", "int32", "How many petals it has."), "planter": text("string", "", "Who planted it.")})},
		FlowerStatus{}.OpenAPIModelName(): {Schema: object("How it is.", map[string]spec.Schema{"blooming": text("boolean", "", "Whether it blooms.")})},
		FlowerList{}.OpenAPIModelName(): {
			Schema:       object("Many flowers.", map[string]spec.Schema{"apiVersion": apiVersion, "kind": kind, "metadata": of(listMeta), "items": list}, "items"),
			Dependencies: []string{listMeta, Flower{}.OpenAPIModelName()},
		},
	}
}
