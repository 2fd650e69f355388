package main

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

func init() { areas["cbor"] = preferringCBOR }

// PreferringCBOR wants the gates ClientsAllowCBOR and ClientsPreferCBOR: the first request is told that the server does not speak it, as
// one that has CBOR switched off says it, and the client goes on in JSON.
func preferringCBOR(r *run) {
	r.step("told once, then JSON", func(ctx context.Context) error {
		client := dynamic.NewForConfigOrDie(r.config).Resource(configMaps).Namespace(r.namespace("cbor"))
		object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "d"}}}
		_, err := client.Create(ctx, object, metav1.CreateOptions{})
		if err := expect("unsupported at first", apierrors.IsUnsupportedMediaType(err), true); err != nil {
			return err
		}
		if _, err = client.Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
		list, err := client.List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=d"})
		if err != nil {
			return err
		}
		return expect("listed", len(list.Items), 1)
	})
}
