// What Go programs do with a cluster: client-go as it is published, and nothing else. `clients KUBECONFIG AREA…` does what the areas
// say and prints one JSON object: for each step "ok", or what was wrong.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sort"
	"strings"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// A run is one area on its way: it knows the cluster, and notes how each step ended.
type run struct {
	ctx        context.Context
	config     *rest.Config
	kubeconfig string
	steps      map[string]string
}

// Step notes how one thing went. A panic is an error of that step.
func (r *run) step(name string, do func(ctx context.Context) error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			r.steps[name] = fmt.Sprintf("panic: %v\n%s", panicked, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(r.ctx, time.Minute)
	defer cancel()
	began := time.Now()
	defer func() { fmt.Fprintf(os.Stderr, "%6d ms  %s\n", time.Since(began).Milliseconds(), name) }()
	r.steps[name] = "ok"
	if err := do(ctx); err != nil {
		r.steps[name] = err.Error()
	}
}

// With is the configuration after a change that others do not see.
func (r *run) with(change func(*rest.Config)) *rest.Config {
	config := rest.CopyConfig(r.config)
	change(config)
	return config
}

// Namespace makes a new one and gives its name.
func (r *run) namespace(prefix string) string {
	made, err := kubernetes.NewForConfigOrDie(r.config).CoreV1().Namespaces().Create(r.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix + "-"}}, metav1.CreateOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return made.Name
}

func asProtobuf(config *rest.Config) {
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
}

// Expect says what is and what should be, where they differ.
func expect[T comparable](what string, is, should T) error {
	if is != should {
		return fmt.Errorf("%s: %v instead of %v", what, is, should)
	}
	return nil
}

// First is the first error among those given.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Until asks again until the answer is yes.
func until(ctx context.Context, what string, ask func() (bool, error)) error {
	var last error
	for {
		done, err := ask()
		if done {
			return nil
		}
		last = err
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not in time (last: %v)", what, last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var areas = map[string]func(*run){}

func main() {
	klog.SetLogger(logr.Discard())
	if len(os.Args) < 3 {
		known := make([]string, 0, len(areas))
		for name := range areas {
			known = append(known, name)
		}
		sort.Strings(known)
		fmt.Fprintf(os.Stderr, "usage: %s KUBECONFIG AREA…; areas: %s\n", filepath.Base(os.Args[0]), strings.Join(known, " "))
		os.Exit(2)
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	steps := map[string]string{}
	for _, name := range os.Args[2:] {
		area, known := areas[name]
		if !known {
			fmt.Fprintf(os.Stderr, "no area %q\n", name)
			os.Exit(2)
		}
		area(&run{ctx: context.Background(), config: config, kubeconfig: os.Args[1], steps: steps})
	}
	out, err := json.MarshalIndent(steps, "", "  ")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Println(string(out))
}
