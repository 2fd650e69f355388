package main

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

var definitionsOfKinds = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// Define makes a namespaced kind with a status and a scale, and waits until it can be used.
func define(ctx context.Context, client dynamic.Interface, group, kind, plural string) (schema.GroupVersionResource, error) {
	definition := map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": plural + "." + group},
		"spec": map[string]any{
			"group": group, "scope": "Namespaced", "names": map[string]any{"plural": plural, "kind": kind},
			"versions": []any{map[string]any{
				"name": "v1", "served": true, "storage": true,
				"subresources": map[string]any{
					"status": map[string]any{}, "scale": map[string]any{"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
				},
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "properties": map[string]any{
					"spec": map[string]any{"type": "object", "required": []any{"size"}, "properties": map[string]any{
						"size":     map[string]any{"type": "integer", "minimum": 1},
						"replicas": map[string]any{"type": "integer", "default": 1},
						"colour":   map[string]any{"type": "string", "default": "white"},
					}},
					"status": map[string]any{"type": "object", "properties": map[string]any{
						"replicas": map[string]any{"type": "integer"}, "ready": map[string]any{"type": "boolean"}, "note": map[string]any{"type": "string"},
					}},
				}}},
			}},
		},
	}
	kinds := client.Resource(definitionsOfKinds)
	if _, err := kinds.Create(ctx, &unstructured.Unstructured{Object: definition}, metav1.CreateOptions{FieldValidation: "Strict"}); err != nil && !apierrors.IsAlreadyExists(err) {
		return schema.GroupVersionResource{}, err
	}
	resource := schema.GroupVersionResource{Group: group, Version: "v1", Resource: plural}
	return resource, until(ctx, plural, func() (bool, error) {
		_, err := client.Resource(resource).List(ctx, metav1.ListOptions{})
		return err == nil, err
	})
}

func customObject(group, kind, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": group + "/v1", "kind": kind, "metadata": map[string]any{"name": name}, "spec": spec}}
}

func custom(r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("custom")
		client := dynamic.NewForConfigOrDie(r.config)
		resource, err := define(ctx, client, "farm.example.com", "Egg", "eggs")
		if err != nil {
			return err
		}
		eggs := client.Resource(resource).Namespace(namespace)
		if _, err := eggs.Create(ctx, customObject(resource.Group, "Egg", "bad", map[string]any{"size": int64(0)}), metav1.CreateOptions{}); !apierrors.IsInvalid(err) {
			return fmt.Errorf("an egg without size: %v", err)
		}
		if _, err := eggs.Create(ctx, customObject(resource.Group, "Egg", "bad", map[string]any{"size": int64(1), "smell": "bad"}), metav1.CreateOptions{FieldValidation: "Strict"}); !apierrors.IsBadRequest(err) {
			return fmt.Errorf("an egg with a smell: %v", err)
		}
		egg, err := eggs.Create(ctx, customObject(resource.Group, "Egg", "good", map[string]any{"size": int64(3)}), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		colour, _, _ := unstructured.NestedString(egg.Object, "spec", "colour")
		_ = unstructured.SetNestedField(egg.Object, true, "status", "ready")
		_ = unstructured.SetNestedField(egg.Object, int64(9), "spec", "size")
		after, err := eggs.UpdateStatus(ctx, egg, metav1.UpdateOptions{})
		if err != nil {
			return err
		}
		ready, _, _ := unstructured.NestedBool(after.Object, "status", "ready")
		size, _, _ := unstructured.NestedInt64(after.Object, "spec", "size")
		scale, err := eggs.Get(ctx, "good", metav1.GetOptions{}, "scale")
		if err != nil {
			return err
		}
		replicas, _, _ := unstructured.NestedInt64(scale.Object, "spec", "replicas")
		force := customObject(resource.Group, "Egg", "good", map[string]any{"size": int64(4)})
		appliedEgg, err := eggs.Apply(ctx, "good", force, metav1.ApplyOptions{FieldManager: "farmer", Force: true})
		if err != nil {
			return err
		}
		return first(
			expect("colour", colour, "white"), expect("ready", ready, true), expect("size after status", size, 3), expect("replicas", replicas, 1),
			expect("generation", appliedEgg.GetGeneration(), 2), expect("applied", managedBy(appliedEgg, "farmer", "Apply"), true),
		)
	}
}

// Definitions are all schemas of the server's OpenAPI v3, by their names.
func definitions(clientset *kubernetes.Clientset) map[string]*spec.Schema {
	paths, err := clientset.Discovery().OpenAPIV3().Paths()
	if err != nil {
		panic(err)
	}
	found := map[string]*spec.Schema{}
	for path, document := range paths {
		text, err := document.Schema("application/json")
		if err != nil {
			panic(fmt.Errorf("%s: %w", path, err))
		}
		var parsed spec3.OpenAPI
		if err := json.Unmarshal(text, &parsed); err != nil {
			panic(fmt.Errorf("%s: %w", path, err))
		}
		if parsed.Components == nil {
			continue
		}
		for name, one := range parsed.Components.Schemas {
			found[name] = one
		}
	}
	return found
}
