package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
)

func init() { areas["controllers"] = controllers }

func controllers(r *run) {
	r.step("leader election", func(ctx context.Context) error { return leaders(ctx, r) })
	r.step("recorders of events", func(ctx context.Context) error { return recorders(ctx, r) })
	r.step("an operator with its own rights", func(ctx context.Context) error { return operated(ctx, r) })
}

// Leaders: one of two leads; when it gives up, the other does.
func leaders(ctx context.Context, r *run) error {
	namespace := r.namespace("leaders")
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var leading atomic.Int32
	elected := make(chan string, 4)
	candidate := func(ctx context.Context, name string) error {
		lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, namespace, "lock", resourcelock.ResourceLockConfig{Identity: name}, r.config, 2*time.Second)
		if err != nil {
			return err
		}
		elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: lock, Name: "lock", ReleaseOnCancel: true, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) {
					leading.Add(1)
					elected <- name
					<-ctx.Done()
				},
				OnStoppedLeading: func() { leading.Add(-1) },
			},
		})
		if err != nil {
			return err
		}
		go elector.Run(ctx)
		return nil
	}
	next := func() (string, error) {
		select {
		case name := <-elected:
			return name, nil
		case <-ctx.Done():
			return "", errors.New("nobody leads")
		}
	}
	one, giveUp := context.WithCancel(ctx)
	if err := candidate(one, "one"); err != nil {
		giveUp()
		return err
	}
	name, err := next()
	if err == nil {
		err = candidate(ctx, "two")
	}
	if err != nil || name != "one" {
		giveUp()
		return fmt.Errorf("%s leads: %w", name, err)
	}
	time.Sleep(time.Second)
	if err := expect("leaders", leading.Load(), 1); err != nil {
		giveUp()
		return err
	}
	giveUp()
	if name, err = next(); err != nil {
		return err
	}
	lease, err := kubernetes.NewForConfigOrDie(r.config).CoordinationV1().Leases(namespace).Get(ctx, "lock", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return first(expect("the next leader", name, "two"), expect("the lease's holder", *lease.Spec.HolderIdentity, "two"), expect("changes", *lease.Spec.LeaseTransitions >= 1, true))
}

// Recorders: the old one counts what comes again, the new one makes a series of it (whose count it writes later).
func recorders(ctx context.Context, r *run) error {
	namespace := r.namespace("events")
	clientset := kubernetes.NewForConfigOrDie(r.config)
	about, err := clientset.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("about", nil), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	old := record.NewBroadcaster(record.WithContext(ctx))
	defer old.Shutdown()
	old.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: clientset.CoreV1().Events("")})
	recorder := old.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "old"})
	for range 3 {
		recorder.Event(about, corev1.EventTypeWarning, "Again", "it happened again")
	}
	fresh := events.NewBroadcaster(&events.EventSinkImpl{Interface: clientset.EventsV1()})
	defer fresh.Shutdown()
	if err := fresh.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}
	series := fresh.NewRecorder(scheme.Scheme, "example.com/fresh")
	for range 3 {
		series.Eventf(about, nil, corev1.EventTypeNormal, "Often", "Testing", "it happens %s", "often")
	}
	return until(ctx, "both events", func() (bool, error) {
		listed, err := clientset.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=about"})
		if err != nil {
			return false, err
		}
		counted := slices.ContainsFunc(listed.Items, func(event corev1.Event) bool { return event.Reason == "Again" && event.Count == 3 })
		grown, err := clientset.EventsV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "reason=Often,regarding.name=about"})
		if err != nil {
			return false, err
		}
		return counted && len(grown.Items) == 1 && grown.Items[0].Series != nil, fmt.Errorf("%s and %s", toJSON(listed.Items), toJSON(grown.Items))
	})
}

// Rights makes a service account that may do just this, and gives the way to the server as that account.
func (r *run) rights(ctx context.Context, namespace, account string, rules ...rbacv1.PolicyRule) (*rest.Config, error) {
	token, err := r.tokenOf(ctx, namespace, account)
	if err != nil {
		return nil, err
	}
	clientset := kubernetes.NewForConfigOrDie(r.config)
	if _, err := clientset.RbacV1().Roles(namespace).Create(ctx, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: account}, Rules: rules}, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: account}, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: account},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: account, Namespace: namespace}},
	}
	if _, err := clientset.RbacV1().RoleBindings(namespace).Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	config := r.bare()
	config.BearerToken, config.QPS = token, -1
	return config, nil
}

func rule(group, resources, verbs string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: strings.Split(resources, " "), Verbs: strings.Split(verbs, " ")}
}
