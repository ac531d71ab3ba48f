package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// extract writes one OpenAPI v3 document with the schemas that the given kinds need, without descriptions.
func extract(args []string, out io.Writer) error {
	split := 0
	for split < len(args) && args[split] != "--" {
		split++
	}
	if split+1 >= len(args) {
		return fmt.Errorf("usage: oracle extract OPENAPI... -- GROUP/VERSION/KIND...")
	}
	wanted := map[string]bool{}
	for _, kind := range args[split+1:] {
		wanted[kind] = true
	}
	models := map[string]map[string]any{}
	for _, file := range args[:split] {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var document struct {
			Components struct {
				Schemas map[string]map[string]any `json:"schemas"`
			} `json:"components"`
		}
		if err := json.Unmarshal(text, &document); err != nil {
			return err
		}
		for name, model := range document.Components.Schemas {
			models[name] = model
		}
	}
	kept := map[string]any{}
	var keep func(string)
	keep = func(name string) {
		if _, done := kept[name]; done {
			return
		}
		kept[name] = strip(models[name], keep)
	}
	for name, model := range models {
		kinds, _ := model["x-kubernetes-group-version-kind"].([]any)
		for _, k := range kinds {
			kind := k.(map[string]any)
			key := fmt.Sprintf("%v/%v/%v", kind["group"], kind["version"], kind["kind"])
			if wanted[key] {
				delete(wanted, key)
				keep(name)
			}
		}
	}
	for kind := range wanted {
		return fmt.Errorf("no such kind: %s", kind)
	}
	text, err := json.MarshalIndent(map[string]any{
		"openapi":    "3.0.0",
		"components": map[string]any{"schemas": kept},
	}, "", " ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, string(text))
	return err
}

// strip copies a schema without its prose and follows its references.
func strip(node any, follow func(string)) any {
	switch node := node.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range node {
			switch text, isText := value.(string); {
			case isText && key == "description":
			case isText && key == "$ref":
				follow(text[strings.LastIndex(text, "/")+1:])
				out[key] = value
			case key == "enum" && isList(value):
			default:
				out[key] = strip(value, follow)
			}
		}
		return out
	case []any:
		out := make([]any, len(node))
		for i := range node {
			out[i] = strip(node[i], follow)
		}
		return out
	}
	return node
}

func isList(node any) bool {
	_, ok := node.([]any)
	return ok
}
