package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/watch"
	applyappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/disk"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/util/retry"
)

func init() { areas["generic"] = generic }

func generic(r *run) {
	clientset := kubernetes.NewForConfigOrDie(r.config)
	r.step("typed apply configurations, extracted and applied again", applied(clientset, r))
	r.step("conflicts of server-side apply", conflicts(clientset, r))
	r.step("aggregated and cached discovery", discovered(r))
	r.step("REST mapper, short names and categories", mapped(clientset, r))
	r.step("scale client", scaled(clientset, r))
	r.step("dynamic client", dynamically(r))
	r.step("custom resources through the dynamic client", custom(r))
	r.step("a type converter from OpenAPI v3", converter(clientset))
	for name, config := range map[string]*rest.Config{"json": r.with(func(*rest.Config) {}), "protobuf": r.with(asProtobuf)} {
		r.step("metadata client of "+name, metadataOnly(clientset, config, r))
	}
	r.step("many at once on one object, with retry on conflict", contended(clientset, r))
}

func applied(clientset kubernetes.Interface, r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("applied")
		client := clientset.AppsV1().Deployments(namespace)
		container := func(name, image string) *applycorev1.ContainerApplyConfiguration {
			return applycorev1.Container().WithName(name).WithImage(image).WithPorts(applycorev1.ContainerPort().WithContainerPort(80))
		}
		template := func(containers ...*applycorev1.ContainerApplyConfiguration) *applycorev1.PodTemplateSpecApplyConfiguration {
			return applycorev1.PodTemplateSpec().WithLabels(map[string]string{"a": "b"}).WithSpec(applycorev1.PodSpec().WithContainers(containers...))
		}
		selector := applymetav1.LabelSelector().WithMatchLabels(map[string]string{"a": "b"})
		mine := applyappsv1.Deployment("web", namespace).WithSpec(applyappsv1.DeploymentSpec().WithReplicas(0).WithSelector(selector).WithTemplate(template(container("a", "x:1"))))
		if _, err := client.Apply(ctx, mine, metav1.ApplyOptions{FieldManager: "mine"}); err != nil {
			return err
		}
		theirs := applyappsv1.Deployment("web", namespace).WithLabels(map[string]string{"theirs": "yes"}).WithSpec(applyappsv1.DeploymentSpec().WithSelector(selector).WithTemplate(template(container("b", "y:1"))))
		both, err := client.Apply(ctx, theirs, metav1.ApplyOptions{FieldManager: "theirs"})
		if err != nil {
			return err
		}
		extracted, err := applyappsv1.ExtractDeployment(both, "mine")
		if err != nil {
			return err
		}
		if err := first(expect("my containers", len(extracted.Spec.Template.Spec.Containers), 1), expect("my labels", len(extracted.Labels), 0), expect("replicas", *extracted.Spec.Replicas, 0)); err != nil {
			return err
		}
		extracted.Spec.Template.Spec.Containers[0].WithImage("x:2")
		both, err = client.Apply(ctx, extracted, metav1.ApplyOptions{FieldManager: "mine"})
		if err != nil {
			return err
		}
		images := []string{both.Spec.Template.Spec.Containers[0].Image, both.Spec.Template.Spec.Containers[1].Image}
		if err := expect("images", fmt.Sprint(images), "[x:2 y:1]"); err != nil {
			return err
		}
		status := applyappsv1.Deployment("web", namespace).WithStatus(applyappsv1.DeploymentStatus().WithConditions(applyappsv1.DeploymentCondition().WithType("Tested").WithStatus("True").WithReason("Here")))
		after, err := client.ApplyStatus(ctx, status, metav1.ApplyOptions{FieldManager: "status", Force: true})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(after.Status.Conditions, func(c appsv1.DeploymentCondition) bool { return c.Type == "Tested" }) {
			return fmt.Errorf("conditions: %v", after.Status.Conditions)
		}
		owned, err := applyappsv1.ExtractDeploymentStatus(after, "status")
		if err != nil {
			return err
		}
		// What nobody owns any more is gone.
		gone, err := client.Apply(ctx, applyappsv1.Deployment("web", namespace).WithSpec(applyappsv1.DeploymentSpec().WithSelector(selector)), metav1.ApplyOptions{FieldManager: "theirs"})
		if err != nil {
			return err
		}
		return first(expect("my conditions", len(owned.Status.Conditions), 1), expect("containers", len(gone.Spec.Template.Spec.Containers), 1), expect("labels", len(gone.Labels), 0))
	}
}

func conflicts(clientset kubernetes.Interface, r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("conflicts")
		client := clientset.CoreV1().ConfigMaps(namespace)
		config := func(value string) *applycorev1.ConfigMapApplyConfiguration {
			return applycorev1.ConfigMap("c", namespace).WithData(map[string]string{"a": value})
		}
		if _, err := client.Apply(ctx, config("1"), metav1.ApplyOptions{FieldManager: "one"}); err != nil {
			return err
		}
		_, err := client.Apply(ctx, config("2"), metav1.ApplyOptions{FieldManager: "two"})
		cause, ok := apierrors.StatusCause(err, metav1.CauseTypeFieldManagerConflict)
		if !ok || !apierrors.IsConflict(err) {
			return fmt.Errorf("no conflict: %v", err)
		}
		if err := first(expect("the field", cause.Field, ".data.a"), expect("the cause", cause.Message, `conflict with "one"`)); err != nil {
			return err
		}
		_, err = client.Apply(ctx, config("2"), metav1.ApplyOptions{FieldManager: "two", Force: true, DryRun: []string{metav1.DryRunAll}})
		return err
	}
}

func discovered(r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		direct := discovery.NewDiscoveryClientForConfigOrDie(r.config)
		groups, resources, err := direct.ServerGroupsAndResources()
		if err != nil {
			return err
		}
		// The long way, group by group, says the same.
		unaggregated := discovery.NewDiscoveryClientForConfigOrDie(r.config)
		unaggregated.UseLegacyDiscovery = true
		oldGroups, oldResources, err := unaggregated.ServerGroupsAndResources()
		if err != nil {
			return err
		}
		names := func(groups []*metav1.APIGroup) (names []string) {
			for _, group := range groups {
				names = append(names, group.Name+" "+group.PreferredVersion.Version)
			}
			return names
		}
		if err := expect("groups", fmt.Sprint(names(groups)), fmt.Sprint(names(oldGroups))); err != nil {
			return err
		}
		flat := func(lists []*metav1.APIResourceList) map[string]string {
			found := map[string]string{}
			for _, list := range lists {
				for _, resource := range list.APIResources {
					slices.Sort(resource.Verbs)
					resource.StorageVersionHash = ""
					found[list.GroupVersion+" "+resource.Name] = toJSON(resource)
				}
			}
			return found
		}
		fresh, legacy := flat(resources), flat(oldResources)
		for key, value := range legacy {
			var a, b metav1.APIResource
			_, _ = json.Unmarshal([]byte(value), &a), json.Unmarshal([]byte(fresh[key]), &b)
			// Only one of the two forms says what group a resource itself is of.
			a.Group, a.Version, b.Group, b.Version = "", "", "", ""
			if strings.Contains(a.Name, "/") {
				b.SingularName = ""
			}
			if toJSON(a) != toJSON(b) {
				return fmt.Errorf("%s: aggregated %s, legacy %s", key, toJSON(b), toJSON(a))
			}
		}
		if err := expect("resources", len(fresh), len(legacy)); err != nil {
			return err
		}
		directory, err := os.MkdirTemp("", "discovery")
		if err != nil {
			return err
		}
		defer os.RemoveAll(directory)
		// The last one finds what the one before it left.
		for i, cached := range []discovery.CachedDiscoveryInterface{memory.NewMemCacheClient(direct), onDisk(r, directory), onDisk(r, directory)} {
			preferred, err := cached.ServerPreferredResources()
			if err != nil {
				return err
			}
			if err := first(expect("groups there", len(preferred) > 20, true), expect("fresh", cached.Fresh(), i < 2)); err != nil {
				return err
			}
		}
		version, err := direct.ServerVersion()
		if err != nil {
			return err
		}
		document, err := direct.OpenAPISchema()
		if err != nil {
			return err
		}
		paths, err := direct.OpenAPIV3().Paths()
		if err != nil {
			return err
		}
		for path, document := range paths {
			for _, kind := range []string{"application/json", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"} {
				if text, err := document.Schema(kind); err != nil || len(text) == 0 {
					return fmt.Errorf("OpenAPI v3 of %s as %s: %v", path, kind, err)
				}
			}
		}
		return first(expect("major version", version.Major, "1"), expect("swagger", document.Swagger, "2.0"), expect("definitions", len(document.Definitions.AdditionalProperties) > 300, true))
	}
}

func onDisk(r *run, directory string) discovery.CachedDiscoveryInterface {
	cached, err := disk.NewCachedDiscoveryClientForConfig(r.config, directory, directory+"/http", 1<<40)
	if err != nil {
		panic(err)
	}
	return cached
}

func mapped(clientset *kubernetes.Clientset, _ *run) func(context.Context) error {
	return func(ctx context.Context) error {
		cached := memory.NewMemCacheClient(clientset.Discovery())
		mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(cached), cached, nil)
		for word, kind := range map[string]string{"deploy": "Deployment", "po": "Pod", "services": "Service", "crd": "CustomResourceDefinition", "ingress": "Ingress", "netpol": "NetworkPolicy"} {
			resource, err := mapper.ResourceFor(schema.GroupVersionResource{Resource: word})
			if err != nil {
				return err
			}
			found, err := mapper.KindFor(resource)
			if err != nil {
				return err
			}
			if err := expect(word, found.Kind, kind); err != nil {
				return err
			}
		}
		mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"})
		if err != nil {
			return err
		}
		all, _ := restmapper.NewDiscoveryCategoryExpander(clientset.Discovery()).Expand("all")
		names := make([]string, 0, len(all))
		for _, one := range all {
			names = append(names, one.Resource)
		}
		slices.Sort(names)
		names = slices.Compact(names) // HorizontalPodAutoscalers in both of their versions
		return first(
			expect("version", mapping.Resource.Version, "v2"), expect("scope", mapping.Scope.Name(), meta.RESTScopeNameNamespace),
			expect("all", fmt.Sprint(names), "[cronjobs daemonsets deployments horizontalpodautoscalers jobs pods replicasets replicationcontrollers services statefulsets]"),
		)
	}
}

func scaled(clientset *kubernetes.Clientset, r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("scaled")
		for _, object := range []string{"Deployment", "ReplicaSet", "StatefulSet"} {
			tale := story{ctx, appsv1.SchemeGroupVersion.WithKind(object), clientsOf(clientset, namespace)[appsv1.SchemeGroupVersion.WithKind(object)], resourceClient{}, minimalObjects()[appsv1.SchemeGroupVersion.WithKind(object)], namespace, "s"}
			if _, err := tale.client.object("Create", ctx, tale.decode(), metav1.CreateOptions{}); err != nil {
				return err
			}
		}
		mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(clientset.Discovery()))
		scales, err := scale.NewForConfig(r.config, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(clientset.Discovery()))
		if err != nil {
			return err
		}
		for _, resource := range []string{"deployments", "replicasets", "statefulsets"} {
			group := schema.GroupResource{Group: "apps", Resource: resource}
			// Controllers write beside us; as everybody who updates does, ask again.
			if err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
				current, err := scales.Scales(namespace).Get(ctx, group, "s", metav1.GetOptions{})
				if err != nil {
					return err
				}
				current.Spec.Replicas = 1
				_, err = scales.Scales(namespace).Update(ctx, group, current, metav1.UpdateOptions{})
				return err
			}); err != nil {
				return fmt.Errorf("%s: %w", resource, err)
			}
			patched, err := scales.Scales(namespace).Patch(ctx, schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: resource}, "s", types.MergePatchType, []byte(`{"spec":{"replicas":0}}`), metav1.PatchOptions{})
			if err != nil {
				return err
			}
			if err := expect(resource, patched.Spec.Replicas, 0); err != nil {
				return err
			}
		}
		typed, err := clientset.AppsV1().Deployments(namespace).UpdateScale(ctx, "s", &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "s", Namespace: namespace}, Spec: autoscalingv1.ScaleSpec{Replicas: 0}}, metav1.UpdateOptions{})
		if err != nil {
			return err
		}
		return expect("selector", typed.Status.Selector, "a=d")
	}
}

func dynamically(r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("dynamic")
		client := dynamic.NewForConfigOrDie(r.config).Resource(configMaps).Namespace(namespace)
		object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "d"}, "data": map[string]any{"a": "1"}}}
		watcher, err := client.Watch(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		defer watcher.Stop()
		made, err := client.Create(ctx, object, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		if err := unstructured.SetNestedField(made.Object, "2", "data", "a"); err != nil {
			return err
		}
		if _, err := client.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
			return err
		}
		if _, err := client.Apply(ctx, "d", &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "d"}, "data": map[string]any{"b": "3"}}}, metav1.ApplyOptions{FieldManager: "d"}); err != nil {
			return err
		}
		list, err := client.List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=d"})
		if err != nil {
			return err
		}
		data, _, _ := unstructured.NestedStringMap(list.Items[0].Object, "data")
		if err := client.Delete(ctx, "d", metav1.DeleteOptions{}); err != nil {
			return err
		}
		var events []watch.EventType
		for len(events) < 4 {
			event, open := <-watcher.ResultChan()
			if !open {
				break
			}
			if nameOf(event.Object) == "d" {
				events = append(events, event.Type)
			}
		}
		return first(expect("data", fmt.Sprint(data), "map[a:2 b:3]"), expect("events", fmt.Sprint(events), "[ADDED MODIFIED MODIFIED DELETED]"))
	}
}

// Converter: what kubectl, Helm and controllers make of OpenAPI v3: a type for each object, which apply is worked out by.
func converter(clientset *kubernetes.Clientset) func(context.Context) error {
	return func(ctx context.Context) error {
		types, err := managedfields.NewTypeConverter(definitions(clientset), false)
		if err != nil {
			return err
		}
		for _, text := range minimalObjects() {
			var object unstructured.Unstructured
			if err := json.Unmarshal([]byte(text), &object); err != nil {
				return err
			}
			if _, err := types.ObjectToTyped(&object); err != nil {
				return fmt.Errorf("%s: %w", object.GroupVersionKind(), err)
			}
		}
		return nil
	}
}

func metadataOnly(clientset kubernetes.Interface, config *rest.Config, r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("metadata")
		if _, err := clientset.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("m", map[string]string{"a": "1"}), metav1.CreateOptions{}); err != nil {
			return err
		}
		client, err := metadata.NewForConfig(config)
		if err != nil {
			return err
		}
		maps := client.Resource(configMaps).Namespace(namespace)
		one, err := maps.Get(ctx, "m", metav1.GetOptions{})
		if err != nil {
			return err
		}
		list, err := maps.List(ctx, metav1.ListOptions{LabelSelector: "made=here"})
		if err != nil {
			return err
		}
		patched, err := maps.Patch(ctx, "m", types.MergePatchType, []byte(`{"metadata":{"labels":{"b":"2"}}}`), metav1.PatchOptions{})
		if err != nil {
			return err
		}
		if err := maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "b=2"}); err != nil {
			return err
		}
		_, err = maps.Get(ctx, "m", metav1.GetOptions{})
		return first(
			expect("name", one.Name, "m"),
			expect("listed", len(list.Items), 1), expect("patched", patched.Labels["b"], "2"), expect("gone", apierrors.IsNotFound(err), true),
		)
	}
}

func contended(clientset kubernetes.Interface, r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("contended")
		client := clientset.CoreV1().ConfigMaps(namespace)
		if _, err := client.Create(ctx, configMap("c", map[string]string{}), metav1.CreateOptions{}); err != nil {
			return err
		}
		results := make(chan error)
		for worker := range 8 {
			go func() {
				results <- retry.OnError(retry.DefaultBackoff, apierrors.IsConflict, func() error {
					for range 50 {
						current, err := client.Get(ctx, "c", metav1.GetOptions{})
						if err != nil {
							return err
						}
						if current.Data == nil {
							current.Data = map[string]string{}
						}
						current.Data[fmt.Sprint(worker)] = "was here"
						if _, err = client.Update(ctx, current, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
							return err
						}
					}
					return fmt.Errorf("worker %d never came through", worker)
				})
			}()
		}
		for range 8 {
			if err := <-results; err != nil {
				return err
			}
		}
		last, err := client.Get(ctx, "c", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return expect("workers", len(last.Data), 8)
	}
}
