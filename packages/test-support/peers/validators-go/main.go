// Loads configurations with the code of the programs that read them, and ends with 1 and the reason when one is invalid.
//
//	validators envoy FILE    as Envoy does with --mode validate: every message is known, and satisfies its own rules
//	validators compose FILE  as docker compose config does
//	validators kustomize FOLDER  as kubectl kustomize does, and prints the result
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/grpc_web/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/types/known/anypb"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := validate(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func validate(kind, file string) error {
	if kind == "kustomize" {
		return printKustomized(file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	switch kind {
	case "envoy":
		return validateEnvoy(text)
	case "compose":
		return validateCompose(text, file)
	}
	return fmt.Errorf("unknown kind %q", kind)
}

func validateEnvoy(text []byte) error {
	json, err := yaml.YAMLToJSON(text)
	if err != nil {
		return err
	}
	var config bootstrap.Bootstrap
	if err := protojson.Unmarshal(json, &config); err != nil {
		return err
	}
	return validateMessage(&config)
}

// validateMessage checks a message by its own rules, and after that those that are packed in it.
func validateMessage(message proto.Message) error {
	if ruled, ok := message.(interface{ ValidateAll() error }); ok {
		if err := ruled.ValidateAll(); err != nil {
			return err
		}
	}
	return protorange.Range(message.ProtoReflect(), func(path protopath.Values) error {
		value := path.Index(-1).Value
		packed, ok := value.Interface().(interface{ Interface() proto.Message })
		if !ok {
			return nil
		}
		wrapped, ok := packed.Interface().(*anypb.Any)
		if !ok {
			return nil
		}
		inner, err := wrapped.UnmarshalNew()
		if err != nil {
			return err
		}
		if err := validateMessage(inner); err != nil {
			return err
		}
		// Its fields were visited already.
		return protorange.Break
	})
}

func validateCompose(text []byte, file string) error {
	details := types.ConfigDetails{
		WorkingDir:  filepath.Dir(file),
		ConfigFiles: []types.ConfigFile{{Filename: file, Content: text}},
		Environment: types.Mapping{},
	}
	_, err := loader.LoadWithContext(context.Background(), details)
	return err
}

func printKustomized(folder string) error {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return err
	}
	text, err := resources.AsYaml()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}
