// Answers questions with Kubernetes's own libraries: one JSON object per line in, one out. See record.ts.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

type step struct {
	Op, Manager, Sub, Obj string
	Force                 bool
}

type question struct {
	Op, Type, Patch, Data, Validation, A, B string
	GVK                                     []string
	Original                                json.RawMessage
	Labels                                  map[string]string
	Steps                                   []step
}

type answer struct {
	Result   string         `json:",omitempty"`
	Status   *metav1.Status `json:",omitempty"`
	Error    string         `json:",omitempty"`
	Warnings []string       `json:",omitempty"`
	Values   []string       `json:",omitempty"`
	Steps    []answer       `json:",omitempty"`
}

var types managedfields.TypeConverter

func (q question) kind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: q.GVK[0], Version: q.GVK[1], Kind: q.GVK[2]}
}

func (q question) empty() runtime.Object {
	object, err := scheme.Scheme.New(q.kind())
	if err != nil {
		panic(err)
	}
	return object
}

func serializer(strict bool) runtime.Serializer {
	return kjson.NewSerializerWithOptions(kjson.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, kjson.SerializerOptions{Strict: strict})
}

func text(object runtime.Object) string {
	var out bytes.Buffer
	if err := serializer(false).Encode(object, &out); err != nil {
		panic(err)
	}
	return strings.TrimSpace(out.String())
}

func refused(err error) answer {
	if known, ok := err.(apierrors.APIStatus); ok {
		status := known.Status()
		return answer{Status: &status}
	}
	return answer{Status: &metav1.Status{Code: 500, Message: err.Error()}}
}

func strategic(q question) answer {
	current := q.empty()
	if err := json.Unmarshal(q.Original, current); err != nil {
		return answer{Error: err.Error()}
	}
	before, err := runtime.DefaultUnstructuredConverter.ToUnstructured(current)
	if err != nil {
		return refused(err)
	}
	var patch unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(q.Patch), &patch.Object); err != nil {
		return refused(apierrors.NewBadRequest(err.Error()))
	}
	after, err := strategicpatch.StrategicMergeMapPatch(before, runtime.DeepCopyJSON(whole(patch.Object).(map[string]any)), q.empty())
	if err == mergepatch.ErrNoListOfLists {
		return answer{Status: &metav1.Status{Code: 422, Message: "the server rejected our request due to an error in our request"}}
	}
	if err != nil {
		return refused(err)
	}
	next := q.empty()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(after, next); err != nil {
		return answer{Status: &metav1.Status{Code: 422, Message: err.Error()}}
	}
	return answer{Result: text(next)}
}

// Whole numbers are integers, as the API server reads them.
func whole(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return value
}

func decode(q question) answer {
	kind := q.kind()
	object, actual, err := serializer(q.Validation != "Ignore").Decode([]byte(q.Data), &kind, q.empty())
	if err == nil {
		return answer{Result: text(object)}
	}
	if strict, is := runtime.AsStrictDecodingError(err); is && object != nil && q.Validation == "Warn" {
		out := answer{Result: text(object)}
		for _, problem := range strict.Errors() {
			out.Warnings = append(out.Warnings, problem.Error())
		}
		return out
	}
	if actual != nil && actual.Kind != "" {
		return refused(apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", actual.Kind, actual.Version, kind.Kind, err)))
	}
	beginning := q.Data
	if len(beginning) > 30 {
		beginning = beginning[:30] + " ..."
	}
	if beginning == "" {
		beginning = "<empty>"
	}
	return refused(apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized (must be of type %s): %v (%s)", kind.Kind, err, beginning)))
}

type noDefaults struct{}

func (noDefaults) Default(runtime.Object) {}

func sequence(q question) (out answer) {
	current := q.empty()
	for _, s := range q.Steps {
		manager, err := managedfields.NewDefaultFieldManager(types, scheme.Scheme, noDefaults{}, scheme.Scheme, q.kind(), q.kind().GroupVersion(), s.Sub, nil)
		if err != nil {
			return answer{Error: err.Error()}
		}
		next := q.empty()
		if s.Op == "apply" {
			config := &unstructured.Unstructured{Object: map[string]any{}}
			if err = yaml.Unmarshal([]byte(s.Obj), &config.Object); err == nil {
				next, err = manager.Apply(current.DeepCopyObject(), config, s.Manager, s.Force)
			}
		} else if err = json.Unmarshal([]byte(s.Obj), next); err == nil {
			next = manager.UpdateNoErrors(current.DeepCopyObject(), next, s.Manager)
		}
		if err != nil {
			out.Steps = append(out.Steps, refused(err))
			continue
		}
		current = next
		if object, err := meta.Accessor(current); err == nil {
			object.SetUID("u") // whoever exists has one
		}
		out.Steps = append(out.Steps, answer{Result: text(current)})
	}
	return out
}

func quantities(q question) answer {
	written := func(quantity resource.Quantity) string {
		b, _ := json.Marshal(quantity)
		return strings.Trim(string(b), `"`)
	}
	a, err := resource.ParseQuantity(q.A)
	if err != nil {
		return answer{Error: err.Error()}
	}
	values := []string{written(a), fmt.Sprint(a.Value()), fmt.Sprint(a.MilliValue()), "", string(a.Format), ""}
	if q.B != "" {
		b, err := resource.ParseQuantity(q.B)
		if err != nil {
			return answer{Error: err.Error()}
		}
		sum, rest := a.DeepCopy(), a.DeepCopy()
		sum.Add(b)
		rest.Sub(b)
		values = append(values, written(sum), written(rest), fmt.Sprint(a.Cmp(b)))
	}
	return answer{Values: values}
}

// Reads a scalar and writes it again.
func scalar[T any](text string) answer {
	var value T
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return answer{Error: err.Error()}
	}
	written, _ := json.Marshal(value)
	return answer{Values: []string{string(written)}}
}

func selects(selector fmt.Stringer, matches bool, err error) answer {
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Values: []string{selector.String(), fmt.Sprint(matches)}}
}

func reply(q question) answer {
	switch q.Op {
	case "patch":
		return strategic(q)
	case "decode":
		return decode(q)
	case "ssa":
		return sequence(q)
	case "quantity":
		return quantities(q)
	case "labels":
		s, err := labels.Parse(q.A)
		return selects(s, err == nil && s.Matches(labels.Set(q.Labels)), err)
	case "labelselector":
		var written metav1.LabelSelector
		if err := json.Unmarshal([]byte(q.A), &written); err != nil {
			return answer{Error: err.Error()}
		}
		s, err := metav1.LabelSelectorAsSelector(&written)
		return selects(s, err == nil && s.Matches(labels.Set(q.Labels)), err)
	case "fields":
		s, err := fields.ParseSelector(q.A)
		return selects(s, err == nil && s.Matches(fields.Set(q.Labels)), err)
	case "human":
		d, _ := time.ParseDuration(q.A)
		return answer{Values: []string{duration.HumanDuration(d)}}
	case "duration":
		return scalar[metav1.Duration](q.A)
	case "time":
		return scalar[metav1.Time](q.A)
	case "microtime":
		return scalar[metav1.MicroTime](q.A)
	}
	return answer{Error: "no such operation: " + q.Op}
}

func main() {
	types = applyconfigurations.NewTypeConverter(scheme.Scheme)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			panic(err)
		}
		out, err := json.Marshal(reply(q))
		if err != nil {
			panic(err)
		}
		fmt.Println(string(out))
	}
}
