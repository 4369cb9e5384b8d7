// Command manifests reads Kubernetes objects, YAML documents on standard input, as the types that
// Kubernetes and the Prometheus Operator have for them: an unknown kind or field, a value of another
// type and a name that is none are errors.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

func main() {
	if err := monitoring.AddToScheme(scheme.Scheme); err != nil {
		panic(err)
	}
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		json.SerializerOptions{Yaml: true, Strict: true})
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	failed := 0
	for {
		document, err := documents.Read()
		if err == io.EOF {
			break
		}
		if err == nil && len(bytes.TrimSpace(stripped(document))) == 0 {
			continue
		}
		if err == nil {
			err = check(decoder, document)
		}
		if err != nil {
			fmt.Printf("%v in:\n%s\n", err, document)
			failed = 1
		}
	}
	os.Exit(failed)
}

// stripped is a document without its comments.
func stripped(document []byte) []byte {
	var out []byte
	for _, line := range bytes.Split(document, []byte("\n")) {
		if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) && !bytes.Equal(line, []byte("---")) {
			out = append(out, line...)
		}
	}
	return out
}

func check(decoder *json.Serializer, document []byte) error {
	object, kind, err := decoder.Decode(document, nil, nil)
	if err != nil {
		return err
	}
	of, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	for _, wrong := range validation.IsDNS1123Subdomain(of.GetName()) {
		return fmt.Errorf("name %q: %s", of.GetName(), wrong)
	}
	for key, value := range of.GetLabels() {
		for _, wrong := range append(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)...) {
			return fmt.Errorf("label %s=%s: %s", key, value, wrong)
		}
	}
	fmt.Printf("%s %s\n", kind.Kind, of.GetName())
	return nil
}
