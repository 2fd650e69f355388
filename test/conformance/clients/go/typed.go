package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

func init() { areas["typed"] = typed }

// What a resource's client can do, found by name: the typed clients share no interface.
type resourceClient struct{ value reflect.Value }

func (c resourceClient) can(method string) bool { return c.value.MethodByName(method).IsValid() }

// Call calls a method with the context in front; the last value it returns is the error.
func (c resourceClient) call(method string, args ...any) (any, error) {
	values := make([]reflect.Value, len(args))
	for i, arg := range args {
		values[i] = reflect.ValueOf(arg)
	}
	returned := c.value.MethodByName(method).Call(values)
	err, _ := returned[len(returned)-1].Interface().(error)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if len(returned) == 1 {
		return nil, nil
	}
	return returned[0].Interface(), nil
}

func (c resourceClient) object(method string, args ...any) (runtime.Object, error) {
	answer, err := c.call(method, args...)
	if err != nil {
		return nil, err
	}
	return answer.(runtime.Object), nil
}

// ClientsOf finds the client of every resource a clientset has: Clientset.<GroupVersion>().<Kinds>(namespace), by version and kind.
func clientsOf(clientset *kubernetes.Clientset, namespace string) map[schema.GroupVersionKind]resourceClient {
	found := map[schema.GroupVersionKind]resourceClient{}
	groups := reflect.TypeFor[kubernetes.Interface]()
	for i := range groups.NumMethod() {
		if groups.Method(i).Name == "Discovery" {
			continue
		}
		group := reflect.ValueOf(clientset).MethodByName(groups.Method(i).Name).Call(nil)[0]
		for j := range group.NumMethod() {
			getter := group.Method(j)
			var args []reflect.Value
			switch {
			case group.Type().Method(j).Name == "RESTClient":
				continue
			case getter.Type().NumIn() == 1:
				args = []reflect.Value{reflect.ValueOf(namespace)}
			}
			client := resourceClient{getter.Call(args)[0]}
			if !client.can("Create") || client.value.MethodByName("Create").Type().NumIn() != 3 {
				continue
			}
			object := reflect.New(client.value.MethodByName("Create").Type().In(1).Elem()).Interface().(runtime.Object)
			kinds, _, err := scheme.Scheme.ObjectKinds(object)
			if err == nil {
				found[kinds[0]] = client
			}
		}
	}
	return found
}

func typed(r *run) {
	plain := kubernetes.NewForConfigOrDie(r.with(func(*rest.Config) {}))
	binary := kubernetes.NewForConfigOrDie(r.with(asProtobuf))
	served := map[schema.GroupVersionKind]string{}
	r.step("what is served and client-go knows", func(ctx context.Context) error {
		_, lists, err := plain.Discovery().ServerGroupsAndResources()
		for _, list := range lists {
			version, _ := schema.ParseGroupVersion(list.GroupVersion)
			for _, resource := range list.APIResources {
				kind := version.WithKind(resource.Kind)
				stored := slices.Contains(resource.Verbs, "create") && slices.Contains(resource.Verbs, "list")
				if stored && !strings.Contains(resource.Name, "/") && scheme.Scheme.Recognizes(kind) {
					served[kind] = resource.Name
				}
			}
		}
		return err
	})
	minimal := minimalObjects()
	for _, way := range []struct {
		name      string
		clientset *kubernetes.Clientset
		other     *kubernetes.Clientset
	}{{"json", plain, binary}, {"protobuf", binary, plain}} {
		namespace := r.namespace("typed-" + way.name)
		clients, others := clientsOf(way.clientset, namespace), clientsOf(way.other, namespace)
		for kind := range served {
			name := fmt.Sprintf("%s: %s", way.name, kind)
			client, known := clients[kind]
			object, stated := minimal[kind]
			if !known || !stated {
				r.steps[name] = fmt.Sprintf("there is a client: %v, an example: %v", known, stated)
				continue
			}
			r.step(name, func(ctx context.Context) error {
				tale := story{ctx, kind, client, others[kind], object, namespace, namespace + "-x"}
				return tale.tell()
			})
		}
	}
}

// A story is the life of one object with its typed client.
type story struct {
	ctx    context.Context
	kind   schema.GroupVersionKind
	client resourceClient
	// The same resource, spoken to in the other encoding.
	other     resourceClient
	example   string
	namespace string
	name      string
}

func (s story) text(name string) []byte {
	return []byte(strings.NewReplacer("NAMESPACE", s.namespace, "NAME", name).Replace(s.example))
}

func (s story) decode() runtime.Object {
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(s.text(s.name), nil, nil)
	if err != nil {
		panic(err)
	}
	return object
}

func (s story) tell() error {
	object := s.decode()
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	labels := map[string]string{"story": s.name}
	accessor.SetLabels(labels)
	selector := metav1.ListOptions{LabelSelector: "story=" + s.name}
	made, err := s.client.object("Create", s.ctx, object, metav1.CreateOptions{FieldManager: "story", FieldValidation: "Strict"})
	if err != nil {
		return err
	}
	if _, err := s.client.object("Create", s.ctx, object, metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("created twice: %v", err)
	}
	name := nameOf(made)
	for _, chapter := range []func(string, metav1.ListOptions) error{s.read, s.change, s.apply, s.status, s.watched, s.end} {
		if err := chapter(name, selector); err != nil {
			return err
		}
	}
	return nil
}

// Read: the same object in both encodings, alone and in a list.
func (s story) read(name string, selector metav1.ListOptions) error {
	return s.retrying(func() error {
		got, err := s.client.object("Get", s.ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if got.GetObjectKind().GroupVersionKind() != (schema.GroupVersionKind{}) && got.GetObjectKind().GroupVersionKind() != s.kind {
			return fmt.Errorf("Get gave a %s", got.GetObjectKind().GroupVersionKind())
		}
		same, err := s.other.object("Get", s.ctx, name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("in the other encoding: %w", err)
		}
		listed, err := s.client.object("List", s.ctx, selector)
		if err != nil {
			return err
		}
		items, err := meta.ExtractList(listed)
		if err != nil {
			return err
		}
		if len(items) != 1 {
			return fmt.Errorf("List gave %d", len(items))
		}
		for _, object := range []runtime.Object{got, same, items[0]} {
			object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
		}
		if !equality.Semantic.DeepEqual(got, same) {
			return fmt.Errorf("the encodings differ: %s and %s", toJSON(got), toJSON(same))
		}
		if !equality.Semantic.DeepEqual(got, items[0]) {
			return fmt.Errorf("alone and in the list: %s and %s", toJSON(got), toJSON(items[0]))
		}
		return nil
	})
}

// Change: an update, one that comes too late, and the three patches that are not apply.
func (s story) change(name string, _ metav1.ListOptions) error {
	var old runtime.Object
	if err := s.retrying(func() (err error) {
		if old, err = s.client.object("Get", s.ctx, name, metav1.GetOptions{}); err != nil {
			return err
		}
		next := old.DeepCopyObject()
		annotate(next, "updated", "yes")
		_, err = s.client.object("Update", s.ctx, next, metav1.UpdateOptions{FieldManager: "story"})
		return err
	}); err != nil {
		return err
	}
	annotate(old, "updated", "late")
	if _, err := s.client.object("Update", s.ctx, old, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("an update that came too late: %v", err)
	}
	var last runtime.Object
	for kind, text := range map[types.PatchType]string{
		types.JSONPatchType:           `[{"op":"add","path":"/metadata/annotations/json","value":"yes"}]`,
		types.MergePatchType:          `{"metadata":{"annotations":{"merge":"yes"}}}`,
		types.StrategicMergePatchType: `{"metadata":{"annotations":{"strategic":"yes"}}}`,
	} {
		var err error
		if last, err = s.client.object("Patch", s.ctx, name, kind, []byte(text), metav1.PatchOptions{FieldManager: "story"}); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	accessor, _ := meta.Accessor(last)
	for _, key := range []string{"updated", "json", "merge", "strategic"} {
		if accessor.GetAnnotations()[key] != "yes" {
			return fmt.Errorf("after updates and patches the annotations are %v", accessor.GetAnnotations())
		}
	}
	return nil
}

// Apply: what the example says, as bytes and as the typed configuration.
func (s story) apply(name string, _ metav1.ListOptions) error {
	text := s.text(name)
	force := true
	answer, err := s.client.object("Patch", s.ctx, name, types.ApplyPatchType, text, metav1.PatchOptions{FieldManager: "bytes", Force: &force})
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	if !managedBy(answer, "bytes", "Apply") {
		return fmt.Errorf("apply: not among the managers: %s", toJSON(answer))
	}
	if !s.client.can("Apply") {
		return nil
	}
	configuration := reflect.New(s.client.value.MethodByName("Apply").Type().In(1).Elem())
	if err := json.Unmarshal(text, configuration.Interface()); err != nil {
		return err
	}
	answer, err = s.client.object("Apply", s.ctx, configuration.Interface(), metav1.ApplyOptions{FieldManager: "typed", Force: true})
	if err != nil {
		return err
	}
	if !managedBy(answer, "typed", "Apply") {
		return fmt.Errorf("Apply: not among the managers: %s", toJSON(answer))
	}
	return nil
}

// Status: written by its own call, where there is one.
func (s story) status(name string, _ metav1.ListOptions) error {
	if !s.client.can("UpdateStatus") {
		return nil
	}
	return s.retrying(func() error {
		object, err := s.client.object("Get", s.ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		annotate(object, "status", "yes")
		_, err = s.client.object("UpdateStatus", s.ctx, object, metav1.UpdateOptions{FieldManager: "status"})
		return err
	})
}

// Watched: a watch from the version of a list tells of a change, as the same type.
func (s story) watched(name string, selector metav1.ListOptions) error {
	listed, err := s.client.object("List", s.ctx, selector)
	if err != nil {
		return err
	}
	list, err := meta.ListAccessor(listed)
	if err != nil {
		return err
	}
	selector.ResourceVersion = list.GetResourceVersion()
	answer, err := s.client.call("Watch", s.ctx, selector)
	if err != nil {
		return err
	}
	events := answer.(watch.Interface)
	defer events.Stop()
	if _, err := s.client.object("Patch", s.ctx, name, types.MergePatchType, []byte(`{"metadata":{"annotations":{"watched":"yes"}}}`), metav1.PatchOptions{}); err != nil {
		return err
	}
	deadline := time.After(20 * time.Second)
	for {
		select {
		case event, open := <-events.ResultChan():
			if !open {
				return fmt.Errorf("the watch ended")
			}
			accessor, err := meta.Accessor(event.Object)
			if err != nil {
				return fmt.Errorf("the watch gave %s %s", event.Type, toJSON(event.Object))
			}
			if event.Type == watch.Modified && accessor.GetAnnotations()["watched"] == "yes" {
				return expect("the watched type", reflect.TypeOf(event.Object).String(), reflect.TypeOf(s.decode()).String())
			}
		case <-deadline:
			return fmt.Errorf("the watch did not tell of the change")
		}
	}
}

// End: deleted by selector where that is possible, else by name, under the condition that it is this one.
func (s story) end(name string, selector metav1.ListOptions) error {
	object, err := s.client.object("Get", s.ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	accessor, _ := meta.Accessor(object)
	wrong, right, now := types.UID("somebody-else"), accessor.GetUID(), int64(0)
	_, err = s.client.call("Delete", s.ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &wrong}})
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("deleted under a wrong condition: %v", err)
	}
	options := metav1.DeleteOptions{GracePeriodSeconds: &now}
	if s.client.can("DeleteCollection") {
		_, err = s.client.call("DeleteCollection", s.ctx, options, selector)
	} else {
		options.Preconditions = &metav1.Preconditions{UID: &right}
		_, err = s.client.call("Delete", s.ctx, name, options)
	}
	if err != nil {
		return err
	}
	return until(s.ctx, "gone", func() (bool, error) {
		_, err := s.client.object("Get", s.ctx, name, metav1.GetOptions{})
		// These two are let go by a controller, when nothing is in them any more.
		leaving := s.kind.Kind == "Namespace" || s.kind.Kind == "ServiceCIDR"
		return apierrors.IsNotFound(err) || leaving && err == nil, err
	})
}

// Retrying does it again when somebody else (a controller) was quicker.
func (s story) retrying(do func() error) error {
	var err error
	for range 10 {
		if err = do(); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

func nameOf(object runtime.Object) string {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return ""
	}
	return accessor.GetName()
}

func annotate(object runtime.Object, key, value string) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return
	}
	annotations := map[string]string{key: value}
	for k, v := range accessor.GetAnnotations() {
		if k != key {
			annotations[k] = v
		}
	}
	accessor.SetAnnotations(annotations)
}

func managedBy(object runtime.Object, manager, operation string) bool {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return false
	}
	for _, entry := range accessor.GetManagedFields() {
		if entry.Manager == manager && string(entry.Operation) == operation {
			return true
		}
	}
	return false
}

func toJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
