// yaml-oracle reads one JSON string a line and prints what Helm's own libraries make of it.
//
//	document  the string is one YAML document: sigs.k8s.io/yaml, as JSON
//	manifest  the string is a stored manifest: split, decoded and flattened as "helm upgrade" does it, each object with
//	          what Helm adds for release "web" in namespace "shop", as a JSON list
//
// Each line of output is {"json": ...} or {"error": "..."}.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// longestLine is enough for every document that the tests make.
const longestLine = 64 << 20

type answer struct {
	JSON  json.RawMessage `json:"json,omitempty"`
	Error string          `json:"error,omitempty"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: yaml-oracle document|manifest")
		os.Exit(1)
	}
	read := map[string]func(string) ([]byte, error){"document": document, "manifest": manifest}[os.Args[1]]
	if read == nil {
		fmt.Fprintln(os.Stderr, "unknown mode")
		os.Exit(1)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		result, err := guarded(read, text)
		if err != nil {
			encoder.Encode(answer{Error: strings.ToValidUTF8(err.Error(), "?")})
			continue
		}
		encoder.Encode(answer{JSON: result})
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// guarded turns a panic of the library into an error.
func guarded(read func(string) ([]byte, error), text string) (result []byte, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("panic: %v", caught)
		}
	}()
	return read(text)
}

func document(text string) ([]byte, error) {
	return yaml.YAMLToJSON([]byte(text))
}

func manifest(text string) ([]byte, error) {
	objects := []any{}
	decoder := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		raw := runtime.RawExtension{}
		err := decoder.Decode(&raw)
		if err == io.EOF {
			return json.Marshal(objects)
		}
		if err != nil {
			return nil, err
		}
		raw.Raw = bytes.TrimSpace(raw.Raw)
		if len(raw.Raw) == 0 || bytes.Equal(raw.Raw, []byte("null")) {
			continue
		}
		object, _, err := unstructured.UnstructuredJSONScheme.Decode(raw.Raw, nil, nil)
		if err != nil {
			return nil, err
		}
		switch object := object.(type) {
		case *unstructured.Unstructured:
			objects = append(objects, decorated(object))
		case *unstructured.UnstructuredList:
			for i := range object.Items {
				objects = append(objects, decorated(&object.Items[i]))
			}
		default:
			return nil, fmt.Errorf("unexpected %T", object)
		}
	}
}

// decorated does to an object what Helm's setMetadataVisitor does, by the same accessors.
func decorated(object *unstructured.Unstructured) map[string]any {
	merged := func(current map[string]string, added map[string]string) map[string]string {
		result := map[string]string{}
		maps.Copy(result, current)
		maps.Copy(result, added)
		return result
	}
	object.SetLabels(merged(object.GetLabels(), map[string]string{"app.kubernetes.io/managed-by": "Helm"}))
	object.SetAnnotations(merged(object.GetAnnotations(), map[string]string{
		"meta.helm.sh/release-name":      "web",
		"meta.helm.sh/release-namespace": "shop",
	}))
	return object.Object
}
