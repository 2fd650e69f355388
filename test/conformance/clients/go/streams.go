package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
)

func init() { areas["streams"] = streams }

// Streams needs a cluster with containers: in its namespace default the pod CLIENTS_POD with a shell, which keeps writing lines, and the
// pod CLIENTS_WEB that answers HTTP on port 8080.
func streams(r *run) {
	clientset := kubernetes.NewForConfigOrDie(r.config)
	pod, web := os.Getenv("CLIENTS_POD"), os.Getenv("CLIENTS_WEB")
	for _, way := range []string{"WebSocket", "SPDY"} {
		r.step("exec over "+way, func(ctx context.Context) error { return executed(ctx, clientset, r.config, pod, way) })
		r.step("attach over "+way, func(ctx context.Context) error {
			request := clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace("default").Name(pod).SubResource("attach").
				VersionedParams(&corev1.PodAttachOptions{Stdout: true, Stderr: true}, scheme.ParameterCodec)
			executor, err := executorOf(r.config, request, way)
			if err != nil {
				return err
			}
			short, stop := context.WithCancel(ctx)
			defer stop()
			err = executor.StreamWithContext(short, remotecommand.StreamOptions{Stdout: writer(stop), Stderr: io.Discard})
			if !errors.Is(err, context.Canceled) {
				return fmt.Errorf("attach ended: %w", err)
			}
			return nil
		})
		r.step("port-forward over "+way, func(ctx context.Context) error { return forwarded(ctx, clientset, r.config, web, way) })
	}
	r.step("logs", func(ctx context.Context) error {
		lines := int64(1)
		stream, err := clientset.CoreV1().Pods("default").GetLogs(pod, &corev1.PodLogOptions{TailLines: &lines, Timestamps: true, Follow: true}).Stream(ctx)
		if err != nil {
			return err
		}
		defer stream.Close()
		line := make([]byte, 20)
		_, err = io.ReadFull(stream, line)
		return err
	})
	r.step("proxies", func(ctx context.Context) error {
		text, err := clientset.CoreV1().Pods("default").ProxyGet("http", web, "8080", "/", nil).DoRaw(ctx)
		if err != nil {
			return err
		}
		return expect("text", len(text) > 0, true)
	})
	r.step("ephemeral containers", func(ctx context.Context) error {
		current, err := clientset.CoreV1().Pods("default").Get(ctx, pod, metav1.GetOptions{})
		if err != nil {
			return err
		}
		current.Spec.EphemeralContainers = append(current.Spec.EphemeralContainers, corev1.EphemeralContainer{
			EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "look", Image: current.Spec.Containers[0].Image, Command: []string{"sleep", "1000"}},
		})
		if _, err := clientset.CoreV1().Pods("default").UpdateEphemeralContainers(ctx, pod, current, metav1.UpdateOptions{}); err != nil {
			return err
		}
		return until(ctx, "it runs", func() (bool, error) {
			current, err := clientset.CoreV1().Pods("default").Get(ctx, pod, metav1.GetOptions{})
			return err == nil && len(current.Status.EphemeralContainerStatuses) == 1 && current.Status.EphemeralContainerStatuses[0].State.Running != nil, err
		})
	})
}

// A writer that tells when something is written.
type writer func()

func (wrote writer) Write(text []byte) (int, error) {
	wrote()
	return len(text), nil
}

func executorOf(config *rest.Config, request *rest.Request, way string) (remotecommand.Executor, error) {
	if way == "SPDY" {
		return remotecommand.NewSPDYExecutor(config, http.MethodPost, request.URL())
	}
	return remotecommand.NewWebSocketExecutor(config, http.MethodGet, request.URL().String())
}

func executed(ctx context.Context, clientset *kubernetes.Clientset, config *rest.Config, pod, way string) error {
	command := func(input io.Reader, words ...string) (string, string, error) {
		request := clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace("default").Name(pod).SubResource("exec").
			VersionedParams(&corev1.PodExecOptions{Command: words, Stdin: input != nil, Stdout: true, Stderr: true}, scheme.ParameterCodec)
		executor, err := executorOf(config, request, way)
		if err != nil {
			return "", "", err
		}
		var out, errors bytes.Buffer
		err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: input, Stdout: &out, Stderr: &errors})
		return out.String(), errors.String(), err
	}
	out, errs, err := command(nil, "sh", "-c", "echo to-out; echo to-err >&2; exit 7")
	var code exec.CodeExitError
	if !errors.As(err, &code) || code.Code != 7 {
		return fmt.Errorf("exit 7: %w", err)
	}
	if err := first(expect("out", out, "to-out\n"), expect("err", errs, "to-err\n")); err != nil {
		return err
	}
	big := strings.Repeat("0123456789abcdef", 1<<16)
	out, _, err = command(strings.NewReader(big), "cat")
	if err != nil {
		return err
	}
	if _, _, err := command(nil, "no-such-program"); err == nil {
		return errors.New("a program that there is not was run")
	}
	return expect("a megabyte there and back", out == big, true)
}

func forwarded(ctx context.Context, clientset *kubernetes.Clientset, config *rest.Config, pod, way string) error {
	url := clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace("default").Name(pod).SubResource("portforward").URL()
	var dialer httpstream.Dialer
	var err error
	if way == "SPDY" {
		transport, upgrader, failed := spdy.RoundTripperFor(config)
		dialer, err = spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url), failed
	} else {
		dialer, err = portforward.NewSPDYOverWebsocketDialer(url, config)
	}
	if err != nil {
		return err
	}
	stop, ready := make(chan struct{}), make(chan struct{})
	forwarder, err := portforward.New(dialer, []string{"0:8080"}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	defer close(stop)
	select {
	case <-ready:
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		return err
	}
	for range 5 {
		response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", ports[0].Local))
		if err != nil {
			return err
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || len(text) == 0 {
			return fmt.Errorf("%d bytes: %w", len(text), err)
		}
	}
	return nil
}
