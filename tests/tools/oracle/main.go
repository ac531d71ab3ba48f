// The oracle answers what Kubernetes itself would answer: it links the library that the API server uses for field
// ownership. Tests of crates/managed-fields hold their answers against it.
//
//	oracle                                     one JSON request a line on stdin, one JSON answer a line on stdout
//	oracle extract OPENAPI... -- GROUP/VERSION/KIND...   a small OpenAPI document with only what these kinds need
//
// Requests: {"op":"apply|update","openapi":[files],"manager":"","subresource":"","force":false,"live":{}|null,
// "config":{},"ignore":[["status"]],"empty":{}} ("empty" is a new object of the kind, as the server's Go structs have it), {"op":"csa","live":{},"csaManagers":[""],"manager":"","subresource":""},
// {"op":"text","text":"<fieldsV1>"}.
// Answers: {"object":{},"managedFields":[]} or {"error":"","conflicts":[{"message":"","field":""}]}, {"patch":[]|null},
// {"text":""}.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

type request struct {
	Op          string          `json:"op"`
	OpenAPI     []string        `json:"openapi"`
	Manager     string          `json:"manager"`
	Subresource string          `json:"subresource"`
	Force       bool            `json:"force"`
	Live        json.RawMessage `json:"live"`
	Config      json.RawMessage `json:"config"`
	CSAManagers []string        `json:"csaManagers"`
	Empty       json.RawMessage `json:"empty"`
	Ignore      [][]string      `json:"ignore"`
	Text        string          `json:"text"`
}

type answer struct {
	Object        map[string]any  `json:"object,omitempty"`
	ManagedFields any             `json:"managedFields,omitempty"`
	Conflicts     []conflict      `json:"conflicts,omitempty"`
	Error         string          `json:"error,omitempty"`
	Patch         json.RawMessage `json:"patch,omitempty"`
	Text          string          `json:"text,omitempty"`
}

type conflict struct {
	Message string `json:"message"`
	Field   string `json:"field"`
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "extract" {
		if err := extract(os.Args[2:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(1)
		}
		return
	}
	converters := map[string]managedfields.TypeConverter{}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		a := answer{}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			a.Error = "oracle: " + err.Error()
		} else {
			a = handle(&r, converters)
		}
		if err := out.Encode(a); err != nil {
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(1)
		}
	}
}

func handle(r *request, converters map[string]managedfields.TypeConverter) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{Error: fmt.Sprintf("oracle: panic: %v", p)}
		}
	}()
	var err error
	switch r.Op {
	case "apply", "update":
		a, err = request2answer(r, converters)
	case "csa":
		a, err = upgrade(r)
	case "text":
		a, err = canonical(r.Text)
	default:
		err = fmt.Errorf("oracle: unknown op %q", r.Op)
	}
	if err != nil {
		a = answer{Error: err.Error()}
		var status *apierrors.StatusError
		if errors.As(err, &status) && status.ErrStatus.Details != nil {
			for _, cause := range status.ErrStatus.Details.Causes {
				a.Conflicts = append(a.Conflicts, conflict{Message: cause.Message, Field: cause.Field})
			}
		}
	}
	return a
}

func canonical(text string) (answer, error) {
	set := fieldpath.Set{}
	if err := set.FromJSON(strings.NewReader(text)); err != nil {
		return answer{}, err
	}
	out, err := set.ToJSON()
	return answer{Text: string(out)}, err
}

func upgrade(r *request) (answer, error) {
	live, err := object(r.Live)
	if err != nil {
		return answer{}, err
	}
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, sets.New(r.CSAManagers...), r.Manager, csaupgrade.Subresource(r.Subresource))
	if patch == nil {
		patch = []byte("null")
	}
	return answer{Patch: patch}, err
}

func request2answer(r *request, converters map[string]managedfields.TypeConverter) (answer, error) {
	types, err := typeConverter(r.OpenAPI, converters)
	if err != nil {
		return answer{}, err
	}
	config, err := object(r.Config)
	if err != nil {
		return answer{}, err
	}
	gvk := config.GroupVersionKind()
	news := newObjects{r.Empty}
	live := empty(gvk)
	if r.Op == "update" {
		if live, err = news.object(gvk); err != nil {
			return answer{}, err
		}
	}
	if len(r.Live) > 0 && string(r.Live) != "null" {
		if live, err = object(r.Live); err != nil {
			return answer{}, err
		}
	}
	ignored := fieldpath.NewSet()
	for _, names := range r.Ignore {
		path := fieldpath.Path{}
		for _, name := range names {
			path = append(path, fieldpath.FieldNameElement(name))
		}
		ignored.Insert(path)
	}
	version := gvk.GroupVersion()
	reset := map[fieldpath.APIVersion]*fieldpath.Set{fieldpath.APIVersion(version.String()): ignored}
	manager, err := managedfields.NewDefaultCRDFieldManager(
		types, relabel{}, noDefaults{}, news, gvk, version, r.Subresource, fieldpath.NewExcludeFilterSetMap(reset))
	if err != nil {
		return answer{}, err
	}
	var result runtime.Object
	if r.Op == "apply" {
		result, err = manager.Apply(live, config, r.Manager, r.Force)
	} else {
		result, err = manager.Update(live, config, r.Manager)
	}
	if err != nil {
		return answer{}, err
	}
	stored := result.(*unstructured.Unstructured)
	return answer{Object: stored.Object, ManagedFields: stored.GetManagedFields()}, nil
}

func typeConverter(files []string, known map[string]managedfields.TypeConverter) (managedfields.TypeConverter, error) {
	key := strings.Join(files, "\n")
	if types, ok := known[key]; ok {
		return types, nil
	}
	models := map[string]*spec.Schema{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var document spec3.OpenAPI
		if err := json.Unmarshal(text, &document); err != nil {
			return nil, err
		}
		for name, model := range document.Components.Schemas {
			models[name] = model
		}
	}
	types, err := managedfields.NewTypeConverter(models, false)
	if err == nil {
		known[key] = types
	}
	return types, err
}

func object(text json.RawMessage) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	return u, u.UnmarshalJSON(text)
}

func empty(gvk schema.GroupVersionKind) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(gvk)
	return u
}

// relabel converts as a custom resource without a conversion webhook does: only apiVersion changes.
type relabel struct{}

func (relabel) Convert(_, _, _ any) error { return errors.New("not needed") }

func (relabel) ConvertToVersion(in runtime.Object, target runtime.GroupVersioner) (runtime.Object, error) {
	out := in.DeepCopyObject().(*unstructured.Unstructured)
	version, ok := target.(schema.GroupVersion)
	if !ok {
		return nil, fmt.Errorf("no single version: %v", target)
	}
	out.SetGroupVersionKind(version.WithKind(out.GetKind()))
	return out, nil
}

func (relabel) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

type noDefaults struct{}

func (noDefaults) Default(runtime.Object) {}

// newObjects makes new objects of the one kind of a request.
type newObjects struct{ text json.RawMessage }

func (n newObjects) New(gvk schema.GroupVersionKind) (runtime.Object, error) { return n.object(gvk) }

func (n newObjects) object(gvk schema.GroupVersionKind) (*unstructured.Unstructured, error) {
	if len(n.text) == 0 {
		return empty(gvk), nil
	}
	return object(n.text)
}
