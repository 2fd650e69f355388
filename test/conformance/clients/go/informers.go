package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/features"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/pager"
	watchtools "k8s.io/client-go/tools/watch"
)

func init() { areas["informers"] = informing }

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"made": "here"}}, Data: data}
}

// Told counts what an informer says about objects.
type told struct {
	mutex  sync.Mutex
	events []string
}

func (t *told) note(format string, args ...any) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.events = append(t.events, fmt.Sprintf(format, args...))
}

func (t *told) has(ctx context.Context, events ...string) error {
	for _, event := range events {
		if err := until(ctx, event, func() (bool, error) {
			t.mutex.Lock()
			defer t.mutex.Unlock()
			for _, one := range t.events {
				if one == event {
					return true, nil
				}
			}
			return false, fmt.Errorf("told of %v", t.events)
		}); err != nil {
			return err
		}
	}
	return nil
}

func (t *told) handler() cache.ResourceEventHandler {
	name := func(object any) string {
		key, _ := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
		_, name, _ := cache.SplitMetaNamespaceKey(key)
		return name
	}
	return cache.ResourceEventHandlerDetailedFuncs{
		AddFunc:    func(object any, first bool) { t.note("added %s %v", name(object), first) },
		UpdateFunc: func(_, object any) { t.note("updated %s", name(object)) },
		DeleteFunc: func(object any) { t.note("deleted %s", name(object)) },
	}
}

// Live is what every sort of informer goes through: some objects are there, then one comes, one changes, one goes.
func live(ctx context.Context, clientset kubernetes.Interface, namespace string, informer cache.SharedIndexInformer, start func(ctx context.Context)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	client := clientset.CoreV1().ConfigMaps(namespace)
	for _, name := range []string{"early", "leaving"} {
		if _, err := client.Create(ctx, configMap(name, nil), metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	var seen told
	if _, err := informer.AddEventHandler(seen.handler()); err != nil {
		return err
	}
	start(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return errors.New("not synced")
	}
	if err := seen.has(ctx, "added early true", "added leaving true"); err != nil {
		return err
	}
	_, err := client.Create(ctx, configMap("late", nil), metav1.CreateOptions{})
	if err == nil {
		_, err = client.Patch(ctx, "early", types.MergePatchType, []byte(`{"metadata":{"labels":{"changed":"yes"}}}`), metav1.PatchOptions{})
	}
	if err == nil {
		err = client.Delete(ctx, "leaving", metav1.DeleteOptions{})
	}
	if err == nil {
		err = seen.has(ctx, "added late false", "updated early", "deleted leaving")
	}
	if err != nil {
		return err
	}
	if _, there, err := informer.GetIndexer().GetByKey(namespace + "/late"); err != nil || !there {
		return fmt.Errorf("the store has no late: %v", err)
	}
	return client.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "made=here"})
}

func informing(r *run) {
	for name, config := range map[string]*rest.Config{"json": r.with(func(*rest.Config) {}), "protobuf": r.with(asProtobuf)} {
		clientset := kubernetes.NewForConfigOrDie(config)
		r.step("shared informers of "+name, func(ctx context.Context) error {
			namespace := r.namespace("informed")
			factory := informers.NewSharedInformerFactoryWithOptions(clientset, 0, informers.WithNamespace(namespace))
			return live(ctx, clientset, namespace, factory.Core().V1().ConfigMaps().Informer(), func(ctx context.Context) { factory.Start(ctx.Done()) })
		})
		r.step("metadata informers of "+name, func(ctx context.Context) error {
			namespace := r.namespace("informed")
			client, err := metadata.NewForConfig(config)
			if err != nil {
				return err
			}
			factory := metadatainformer.NewFilteredSharedInformerFactory(client, 0, namespace, nil)
			return live(ctx, clientset, namespace, factory.ForResource(configMaps).Informer(), func(ctx context.Context) { factory.Start(ctx.Done()) })
		})
	}
	clientset := kubernetes.NewForConfigOrDie(r.config)
	r.step("dynamic informers", func(ctx context.Context) error {
		namespace := r.namespace("informed")
		factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamic.NewForConfigOrDie(r.config), 0, namespace, nil)
		return live(ctx, clientset, namespace, factory.ForResource(configMaps).Informer(), func(ctx context.Context) { factory.Start(ctx.Done()) })
	})
	r.step("informers of every kind", everyKind(r))
	r.step("a watch that is cut off goes on where it was", cutOff(r))
	r.step("a version that is too old starts anew", tooOld(r))
	r.step("RetryWatcher and Until", retryWatcher(clientset, r))
	r.step("pages", pages(clientset, r))
	r.step("selectors", selectors(clientset, r))
}

// EveryKind: an informer for each resource that can be watched, all at once.
func everyKind(r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		clientset := kubernetes.NewForConfigOrDie(r.with(asProtobuf))
		factory := informers.NewSharedInformerFactory(clientset, 0)
		lists, err := clientset.Discovery().ServerPreferredResources()
		if err != nil {
			return err
		}
		count := 0
		for _, list := range lists {
			version, _ := schema.ParseGroupVersion(list.GroupVersion)
			for _, resource := range list.APIResources {
				generic, err := factory.ForResource(version.WithResource(resource.Name))
				if err == nil && resource.Name != "componentstatuses" {
					generic.Informer()
					count++
				}
			}
		}
		ctx, stop := context.WithTimeout(ctx, 30*time.Second)
		defer stop()
		factory.Start(ctx.Done())
		for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
			if !synced {
				return fmt.Errorf("%s was not synced", kind)
			}
		}
		if count < 50 {
			return fmt.Errorf("only %d kinds", count)
		}
		return nil
	}
}

// CutOff: connections end under an informer; it watches again from where it was, and neither lists nor misses anything.
func cutOff(r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("cut")
		clientset := kubernetes.NewForConfigOrDie(r.config)
		var lists, streams, watches atomic.Int32
		counted := r.with(func(config *rest.Config) {
			config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(request *http.Request) (*http.Response, error) {
					query := request.URL.Query()
					switch {
					case query.Get("watch") == "":
						lists.Add(1)
					case query.Get("sendInitialEvents") == "true":
						streams.Add(1)
					default:
						watches.Add(1)
					}
					return next.RoundTrip(short(request, query))
				})
			})
		})
		factory := informers.NewSharedInformerFactoryWithOptions(kubernetes.NewForConfigOrDie(counted), 0, informers.WithNamespace(namespace), informers.WithTweakListOptions(onlyOurs))
		informer := factory.Core().V1().ConfigMaps()
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		informer.Informer()
		factory.Start(ctx.Done())
		factory.WaitForCacheSync(ctx.Done())
		for i := 0; watches.Load() < 3; i++ {
			if _, err := clientset.CoreV1().ConfigMaps(namespace).Create(ctx, configMap(fmt.Sprintf("c-%d", i), nil), metav1.CreateOptions{}); err != nil {
				return err
			}
			count := i + 1
			if err := until(ctx, "the informer's store", func() (bool, error) {
				all, err := informer.Lister().List(labels.Everything())
				return len(all) == count, errors.Join(err, fmt.Errorf("%d of %d", len(all), count))
			}); err != nil {
				return err
			}
			time.Sleep(100 * time.Millisecond)
		}
		if features.FeatureGates().Enabled(features.WatchListClient) {
			return first(expect("lists", lists.Load(), 0), expect("streamed lists", streams.Load(), 1))
		}
		return expect("lists", lists.Load(), 1)
	}
}

func onlyOurs(options *metav1.ListOptions) { options.LabelSelector = "made=here" }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// Short asks with this query, and for a second only where it is a watch.
func short(request *http.Request, query url.Values) *http.Request {
	if query.Get("watch") != "" {
		query.Set("timeoutSeconds", "1")
	}
	request = request.Clone(request.Context())
	request.URL.RawQuery = query.Encode()
	return request
}

// TooOld: an informer whose watch is told 410 lists again and goes on.
func tooOld(r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("old")
		clientset := kubernetes.NewForConfigOrDie(r.config)
		_, err := clientset.CoreV1().ConfigMaps(namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: "1"})
		if err == nil {
			watcher, _ := clientset.CoreV1().ConfigMaps(namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: "1"})
			event := <-watcher.ResultChan()
			watcher.Stop()
			if event.Type == watch.Error {
				err = apierrors.FromObject(event.Object)
			}
		}
		if err != nil && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
			return fmt.Errorf("a watch from revision 1: %w", err)
		}
		err = clientset.CoreV1().RESTClient().Get().MaxRetries(0).Namespace(namespace).Resource("configmaps").Param("resourceVersion", "999999999").Do(ctx).Error()
		if !apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) {
			return fmt.Errorf("a list from the future: %v", err)
		}
		var broken atomic.Bool
		config := r.with(func(config *rest.Config) {
			config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(request *http.Request) (*http.Response, error) {
					query := request.URL.Query()
					if query.Get("watch") != "" && query.Get("sendInitialEvents") == "" && broken.CompareAndSwap(false, true) {
						query.Set("resourceVersion", "1")
					}
					return next.RoundTrip(short(request, query))
				})
			})
		})
		factory := informers.NewSharedInformerFactoryWithOptions(kubernetes.NewForConfigOrDie(config), 0, informers.WithNamespace(namespace))
		return live(ctx, clientset, namespace, factory.Core().V1().ConfigMaps().Informer(), func(ctx context.Context) {
			factory.Start(ctx.Done())
			factory.WaitForCacheSync(ctx.Done())
			_ = until(ctx, "a watch from revision 1", func() (bool, error) { return broken.Load(), nil })
		})
	}
}

func retryWatcher(clientset kubernetes.Interface, r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("retried")
		client := clientset.CoreV1().ConfigMaps(namespace)
		list, err := client.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		second := int64(1)
		watcher, err := watchtools.NewRetryWatcherWithContext(ctx, list.ResourceVersion, &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.TimeoutSeconds = &second
			return client.Watch(ctx, options)
		}})
		if err != nil {
			return err
		}
		defer watcher.Stop()
		for i := range 5 {
			name := fmt.Sprintf("r-%d", i)
			if _, err := client.Create(ctx, configMap(name, nil), metav1.CreateOptions{}); err != nil {
				return err
			}
			event := <-watcher.ResultChan()
			if event.Type != watch.Added || nameOf(event.Object) != name {
				return fmt.Errorf("%s instead of ADDED %s", toJSON(event), name)
			}
			time.Sleep(600 * time.Millisecond)
		}
		lw := cache.NewListWatchFromClient(clientset.CoreV1().RESTClient(), "configmaps", namespace, fields.OneTermEqualSelector("metadata.name", "r-3"))
		go func() {
			time.Sleep(100 * time.Millisecond)
			_ = client.Delete(ctx, "r-3", metav1.DeleteOptions{})
		}()
		event, err := watchtools.UntilWithSync(ctx, lw, &corev1.ConfigMap{}, nil, func(event watch.Event) (bool, error) { return event.Type == watch.Deleted, nil })
		if err != nil {
			return err
		}
		return expect("the deleted", nameOf(event.Object), "r-3")
	}
}

func pages(clientset kubernetes.Interface, r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("paged")
		client := clientset.CoreV1().ConfigMaps(namespace)
		for i := range 25 {
			if _, err := client.Create(ctx, configMap(fmt.Sprintf("p-%02d", i), nil), metav1.CreateOptions{}); err != nil {
				return err
			}
		}
		calls := 0
		paged := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			calls++
			if calls == 2 {
				// A change between two pages is not in the next one.
				_ = client.Delete(ctx, "p-24", metav1.DeleteOptions{})
			}
			return client.List(ctx, options)
		})
		paged.PageSize = 10
		var names []string
		err := paged.EachListItem(ctx, metav1.ListOptions{}, func(object runtime.Object) error {
			names = append(names, nameOf(object))
			return nil
		})
		if err != nil {
			return err
		}
		list, err := client.List(ctx, metav1.ListOptions{Limit: 10})
		if err != nil {
			return err
		}
		// Every namespace has the certificate of the cluster in one more.
		return first(expect("calls", calls, 3), expect("names", len(names), 26), expect("remaining", *list.RemainingItemCount, 15))
	}
}

func selectors(clientset kubernetes.Interface, r *run) func(context.Context) error {
	return func(ctx context.Context) error {
		namespace := r.namespace("selected")
		client := clientset.CoreV1().Pods(namespace)
		for i, tier := range []string{"a", "b", "c"} {
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: "p-" + tier, Labels: map[string]string{"tier": tier, fmt.Sprintf("n%d", i): ""}},
				Spec:       corev1.PodSpec{NodeSelector: map[string]string{"no": "where"}, Containers: []corev1.Container{{Name: "c", Image: "x"}}},
			}
			if _, err := client.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
				return err
			}
		}
		for selector, count := range map[string]int{"tier=a": 1, "tier in (a,b)": 2, "tier notin (a)": 2, "!n0": 2, "n0": 1, "tier!=a,tier!=b": 1, "nothing": 0} {
			list, err := client.List(ctx, metav1.ListOptions{LabelSelector: selector})
			if err != nil {
				return err
			}
			if err := expect(selector, len(list.Items), count); err != nil {
				return err
			}
		}
		for selector, count := range map[string]int{"metadata.name=p-a": 1, "spec.nodeName=": 3, "status.phase=Pending": 3, "status.phase!=Pending": 0, "spec.restartPolicy=Always,metadata.name!=p-b": 2} {
			list, err := client.List(ctx, metav1.ListOptions{FieldSelector: selector})
			if err != nil {
				return err
			}
			if err := expect(selector, len(list.Items), count); err != nil {
				return err
			}
		}
		if _, err := client.List(ctx, metav1.ListOptions{FieldSelector: "spec.nope=1"}); !apierrors.IsBadRequest(err) {
			return fmt.Errorf("a field that cannot be selected: %v", err)
		}
		if _, err := client.List(ctx, metav1.ListOptions{LabelSelector: "a b"}); !apierrors.IsBadRequest(err) {
			return fmt.Errorf("a selector that is none: %v", err)
		}
		return nil
	}
}
