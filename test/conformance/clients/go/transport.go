package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func init() { areas["transport"] = transport }

type noted struct{ texts []string }

func (n *noted) HandleWarningHeader(code int, _, text string) {
	n.texts = append(n.texts, fmt.Sprintf("%d %s", code, text))
}

func transport(r *run) {
	clientset := kubernetes.NewForConfigOrDie(r.config)
	r.step("warnings", func(ctx context.Context) error {
		var heard noted
		warned := kubernetes.NewForConfigOrDie(r.with(func(config *rest.Config) { config.WarningHandler = &heard }))
		namespace := r.namespace("warned")
		if _, err := warned.CoreV1().Endpoints(namespace).List(ctx, metav1.ListOptions{}); err != nil {
			return err
		}
		body := []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"w"},"daata":{},"data":{"a":"1","a":"2"}}`)
		if err := warned.CoreV1().RESTClient().Post().Namespace(namespace).Resource("configmaps").SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error(); err != nil {
			return err
		}
		slices.Sort(heard.texts)
		return expect("warnings", strings.Join(heard.texts, "; "), `299 duplicate field "data.a"; 299 unknown field "daata"; 299 v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice`)
	})
	r.step("gzip", func(ctx context.Context) error {
		namespace := r.namespace("gzip")
		for i := range 3 {
			if _, err := clientset.CoreV1().ConfigMaps(namespace).Create(ctx, configMap(fmt.Sprintf("big-%d", i), map[string]string{"a": strings.Repeat("compress me ", 20_000)}), metav1.CreateOptions{}); err != nil {
				return err
			}
		}
		var encoding atomic.Value
		look := func(config *rest.Config) {
			config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(request *http.Request) (*http.Response, error) {
					response, err := next.RoundTrip(request)
					if err == nil {
						// Go's transport takes the header away with the compression it undid.
						encoding.Store(fmt.Sprintf("%v %s", response.Uncompressed, response.Header.Get("Content-Encoding")))
					}
					return response, err
				})
			})
		}
		for _, disabled := range []bool{false, true} {
			config := r.with(func(config *rest.Config) { config.DisableCompression = disabled; look(config) })
			list, err := kubernetes.NewForConfigOrDie(config).CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: "made=here"})
			if err != nil {
				return err
			}
			if err := first(expect("items", len(list.Items), 3), expect("compressed", encoding.Load().(string), fmt.Sprintf("%v ", !disabled))); err != nil {
				return err
			}
		}
		return nil
	})
	r.step("a context that ends, and timeouts", func(ctx context.Context) error {
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		watcher, err := clientset.CoreV1().Pods("default").Watch(short, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for range watcher.ResultChan() {
			continue
		}
		second := int64(1)
		began := time.Now()
		if watcher, err = clientset.CoreV1().Pods("default").Watch(ctx, metav1.ListOptions{TimeoutSeconds: &second}); err != nil {
			return err
		}
		for range watcher.ResultChan() {
			continue
		}
		if took := time.Since(began); took < 900*time.Millisecond || took > 5*time.Second {
			return fmt.Errorf("a watch for a second took %s", took)
		}
		_, err = kubernetes.NewForConfigOrDie(r.with(func(config *rest.Config) { config.Timeout = time.Nanosecond })).CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
		return expect("a timeout", errors.Is(err, context.DeadlineExceeded) || strings.Contains(fmt.Sprint(err), "Timeout"), true)
	})
	r.step("HTTP/1.1", func(ctx context.Context) error {
		config := r.with(func(config *rest.Config) { config.NextProtos = []string{"http/1.1"} })
		_, err := kubernetes.NewForConfigOrDie(config).CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
		return err
	})
	r.step("what comes too often is asked again", func(ctx context.Context) error {
		var refusals, calls atomic.Int32
		config := r.with(func(config *rest.Config) {
			config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(request *http.Request) (*http.Response, error) {
					calls.Add(1)
					response, err := next.RoundTrip(request)
					if err == nil && response.StatusCode == http.StatusTooManyRequests {
						refusals.Add(1)
					}
					return response, err
				})
			})
		})
		return evicted(ctx, kubernetes.NewForConfigOrDie(config), r.namespace("evicted"), &refusals)
	})
	r.step("errors are Status objects", func(ctx context.Context) error { return statuses(ctx, clientset, r.namespace("statuses")) })
	r.step("raw paths", func(ctx context.Context) error {
		for _, path := range []string{"/healthz", "/livez?verbose", "/readyz", "/version", "/metrics", "/openapi/v2", "/openapi/v3", "/.well-known/openid-configuration", "/openid/v1/jwks"} {
			text, err := clientset.RESTClient().Get().RequestURI(path).DoRaw(ctx)
			if err != nil || len(text) == 0 {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		return nil
	})
}

// Evicted: a disruption budget says no, with 429, until it has room.
func evicted(ctx context.Context, clientset *kubernetes.Clientset, namespace string, refusals *atomic.Int32) error {
	body := []byte(`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}}`)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Labels: map[string]string{"a": "b"}}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "x"}}}}
	if _, err := clientset.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := until(ctx, "the pod runs", func() (bool, error) {
		current, err := clientset.CoreV1().Pods(namespace).Get(ctx, "p", metav1.GetOptions{})
		return err == nil && current.Status.Phase == corev1.PodRunning, err
	}); err != nil {
		return err
	}
	budget := []byte(`{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"b"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"a":"b"}}}}`)
	if err := clientset.PolicyV1().RESTClient().Post().Namespace(namespace).Resource("poddisruptionbudgets").Body(budget).SetHeader("Content-Type", "application/json").Do(ctx).Error(); err != nil {
		return err
	}
	evict := func() error {
		return clientset.CoreV1().RESTClient().Post().MaxRetries(0).Namespace(namespace).Resource("pods").Name("p").SubResource("eviction").SetHeader("Content-Type", "application/json").Body(bytes.NewReader(body)).Do(ctx).Error()
	}
	if err := evict(); !apierrors.IsTooManyRequests(err) || !apierrors.HasStatusCause(err, "DisruptionBudget") {
		return fmt.Errorf("evicted beside a budget: %v", err)
	}
	if err := clientset.PolicyV1().PodDisruptionBudgets(namespace).Delete(ctx, "b", metav1.DeleteOptions{}); err != nil {
		return err
	}
	if err := evict(); err != nil {
		return err
	}
	return expect("refusals", refusals.Load() > 0, true)
}

func statuses(ctx context.Context, clientset *kubernetes.Clientset, namespace string) error {
	client := clientset.CoreV1().ConfigMaps(namespace)
	_, err := client.Get(ctx, "nothing", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) || err.Error() != `configmaps "nothing" not found` {
		return fmt.Errorf("not found: %v", err)
	}
	_, err = client.Create(ctx, configMap("Bad_Name", nil), metav1.CreateOptions{})
	if !apierrors.IsInvalid(err) || !apierrors.HasStatusCause(err, metav1.CauseTypeFieldValueInvalid) {
		return fmt.Errorf("invalid: %v", err)
	}
	_, err = clientset.CoreV1().ConfigMaps("no-such-namespace").Create(ctx, configMap("a", nil), metav1.CreateOptions{})
	if !apierrors.IsNotFound(err) || err.Error() != `namespaces "no-such-namespace" not found` {
		return fmt.Errorf("no namespace: %v", err)
	}
	_, err = client.Create(ctx, configMap("big", map[string]string{"a": strings.Repeat("x", 1<<20+1)}), metav1.CreateOptions{})
	if !apierrors.IsInvalid(err) && !apierrors.IsRequestEntityTooLargeError(err) {
		return fmt.Errorf("too large: %v", err)
	}
	err = clientset.RESTClient().Get().AbsPath("/apis/nothing.example.com/v1/things").Do(ctx).Error()
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("no such group: %v", err)
	}
	err = clientset.CoreV1().RESTClient().Get().AbsPath("/api/v1/namespaces").SetHeader("Accept", "text/html").Do(ctx).Error()
	if !apierrors.IsNotAcceptable(err) {
		return fmt.Errorf("not acceptable: %v", err)
	}
	err = clientset.CoreV1().RESTClient().Post().AbsPath("/api/v1/namespaces/"+namespace+"/configmaps").SetHeader("Content-Type", "application/cbor").Body([]byte{0xd9, 0xd9, 0xf7, 0xa0}).Do(ctx).Error()
	if !apierrors.IsUnsupportedMediaType(err) {
		return fmt.Errorf("unsupported: %v", err)
	}
	err = clientset.CoreV1().RESTClient().Verb("TRACE").AbsPath("/api/v1/namespaces").Do(ctx).Error()
	if !apierrors.IsMethodNotSupported(err) {
		return fmt.Errorf("a method there is not: %v", err)
	}
	return nil
}
