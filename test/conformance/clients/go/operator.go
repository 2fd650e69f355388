package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

const finalizer = "ponds.example.com/drain"

// An operator keeps a Deployment for each Pond, says in its status how that is, and lets no Pond go before its log is written.
type operator struct {
	ponds, deployments dynamic.ResourceInterface
	typed              *kubernetes.Clientset
	known, owned       cache.SharedIndexInformer
	namespace          string
	queue              workqueue.TypedRateLimitingInterface[string]
	failures           chan error
}

func startOperator(ctx context.Context, config *rest.Config, ponds schema.GroupVersionResource, namespace string) (*operator, error) {
	client := dynamic.NewForConfigOrDie(config)
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, namespace, nil)
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	o := &operator{
		ponds: client.Resource(ponds).Namespace(namespace), deployments: client.Resource(deployments).Namespace(namespace), typed: kubernetes.NewForConfigOrDie(config),
		known: factory.ForResource(ponds).Informer(), owned: factory.ForResource(deployments).Informer(), namespace: namespace,
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()), failures: make(chan error, 100),
	}
	add := func(object any) {
		if accessor, ok := object.(metav1.Object); ok {
			o.queue.Add(accessor.GetName())
		}
	}
	owner := func(object any) {
		if accessor, ok := object.(metav1.Object); ok {
			if controller := metav1.GetControllerOf(accessor); controller != nil && controller.Kind == "Pond" {
				o.queue.Add(controller.Name)
			}
		}
	}
	for informer, enqueue := range map[cache.SharedIndexInformer]func(any){o.known: add, o.owned: owner} {
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: enqueue, UpdateFunc: func(_, object any) { enqueue(object) }, DeleteFunc: enqueue}); err != nil {
			return nil, err
		}
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), o.known.HasSynced, o.owned.HasSynced) {
		return nil, errors.New("the operator's caches were not filled")
	}
	go func() {
		<-ctx.Done()
		o.queue.ShutDown()
	}()
	for range 2 {
		go o.work(ctx)
	}
	return o, nil
}

func (o *operator) work(ctx context.Context) {
	for {
		name, down := o.queue.Get()
		if down {
			return
		}
		err := o.reconcile(ctx, name)
		switch {
		case err == nil:
			o.queue.Forget(name)
		case apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err):
			o.queue.AddRateLimited(name)
		case ctx.Err() == nil:
			select {
			case o.failures <- err:
			default:
			}
			o.queue.AddRateLimited(name)
		}
		o.queue.Done(name)
	}
}

func (o *operator) reconcile(ctx context.Context, name string) error {
	object, there, err := o.known.GetStore().GetByKey(o.namespace + "/" + name)
	if err != nil || !there {
		return err
	}
	pond := object.(*unstructured.Unstructured).DeepCopy()
	if pond.GetDeletionTimestamp() != nil {
		return o.drain(ctx, pond)
	}
	if len(pond.GetFinalizers()) == 0 {
		pond.SetFinalizers([]string{finalizer})
		if pond, err = o.ponds.Update(ctx, pond, metav1.UpdateOptions{FieldManager: "operator"}); err != nil {
			return err
		}
	}
	size, _, _ := unstructured.NestedInt64(pond.Object, "spec", "size")
	yes := true
	wanted := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"replicas": size, "selector": map[string]any{"matchLabels": map[string]any{"pond": name}},
			"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"pond": name}}, "spec": map[string]any{"containers": []any{map[string]any{"name": "fish", "image": "fish:1"}}}},
		},
	}}
	wanted.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: pond.GetAPIVersion(), Kind: pond.GetKind(), Name: name, UID: pond.GetUID(), Controller: &yes, BlockOwnerDeletion: &yes}})
	current, err := o.deployments.Apply(ctx, name, wanted, metav1.ApplyOptions{FieldManager: "operator", Force: true})
	if err != nil {
		return err
	}
	ready, _, _ := unstructured.NestedInt64(current.Object, "status", "readyReplicas")
	return o.say(ctx, pond, map[string]any{"replicas": ready, "ready": ready == size})
}

func (o *operator) say(ctx context.Context, pond *unstructured.Unstructured, status map[string]any) error {
	before, _, _ := unstructured.NestedMap(pond.Object, "status")
	if toJSON(before) == toJSON(status) {
		return nil
	}
	pond.Object["status"] = status
	_, err := o.ponds.UpdateStatus(ctx, pond, metav1.UpdateOptions{FieldManager: "operator"})
	return err
}

// Drain writes the log, then lets go.
func (o *operator) drain(ctx context.Context, pond *unstructured.Unstructured) error {
	if len(pond.GetFinalizers()) == 0 {
		return nil
	}
	log := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: pond.GetName() + "-log"}, Data: map[string]string{"drained": "yes"}}
	if _, err := o.typed.CoreV1().ConfigMaps(o.namespace).Create(ctx, log, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	_, err := o.ponds.Patch(ctx, pond.GetName(), types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func operated(ctx context.Context, r *run) error {
	namespace := r.namespace("ponds")
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	admin := dynamic.NewForConfigOrDie(r.config)
	resource, err := define(ctx, admin, "water.example.com", "Pond", "ponds")
	if err != nil {
		return err
	}
	config, err := r.rights(ctx, namespace, "operator",
		rule("water.example.com", "ponds", "get list watch update patch"), rule("water.example.com", "ponds/status", "update"), rule("water.example.com", "ponds/finalizers", "update"),
		rule("apps", "deployments", "get list watch create patch"), rule("", "configmaps", "create"))
	if err != nil {
		return err
	}
	o, err := startOperator(ctx, config, resource, namespace)
	if err != nil {
		return err
	}
	ponds := admin.Resource(resource).Namespace(namespace)
	if _, err := ponds.Create(ctx, customObject(resource.Group, "Pond", "deep", map[string]any{"size": int64(2)}), metav1.CreateOptions{}); err != nil {
		return err
	}
	ready := func(size int64) error {
		return until(ctx, fmt.Sprintf("a pond of %d", size), func() (bool, error) {
			pond, err := ponds.Get(ctx, "deep", metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			ready, _, _ := unstructured.NestedBool(pond.Object, "status", "ready")
			replicas, _, _ := unstructured.NestedInt64(pond.Object, "status", "replicas")
			return ready && replicas == size, fmt.Errorf("%s", toJSON(pond.Object["status"]))
		})
	}
	if err := ready(2); err != nil {
		return err
	}
	if _, err := ponds.Patch(ctx, "deep", types.MergePatchType, []byte(`{"spec":{"size":3}}`), metav1.PatchOptions{}); err != nil {
		return err
	}
	if err := ready(3); err != nil {
		return err
	}
	// Somebody else's hand is put right.
	typed := kubernetes.NewForConfigOrDie(r.config).AppsV1().Deployments(namespace)
	if _, err := typed.Patch(ctx, "deep", types.MergePatchType, []byte(`{"spec":{"replicas":0}}`), metav1.PatchOptions{}); err != nil {
		return err
	}
	if err := until(ctx, "replicas put right", func() (bool, error) {
		deployment, err := typed.Get(ctx, "deep", metav1.GetOptions{})
		return err == nil && *deployment.Spec.Replicas == 3, err
	}); err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	if err := ponds.Delete(ctx, "deep", metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
		return err
	}
	if err := until(ctx, "everything gone", func() (bool, error) {
		_, err := ponds.Get(ctx, "deep", metav1.GetOptions{})
		list, listErr := typed.List(ctx, metav1.ListOptions{})
		return apierrors.IsNotFound(err) && listErr == nil && len(list.Items) == 0, fmt.Errorf("%v, %d deployments", err, len(items(list)))
	}); err != nil {
		return err
	}
	if _, err := kubernetes.NewForConfigOrDie(r.config).CoreV1().ConfigMaps(namespace).Get(ctx, "deep-log", metav1.GetOptions{}); err != nil {
		return err
	}
	if _, err := o.typed.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		return fmt.Errorf("the operator may list secrets: %v", err)
	}
	select {
	case err := <-o.failures:
		return fmt.Errorf("the operator failed at: %w", err)
	case <-time.After(0):
		return nil
	}
}

func items(list *appsv1.DeploymentList) []appsv1.Deployment {
	if list == nil {
		return nil
	}
	return list.Items
}
