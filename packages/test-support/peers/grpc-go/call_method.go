package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// callMethod makes one call, of which nothing is compiled in: the method comes from a file of descriptors, the request from JSON. It
// reports each response, and then the status code.
func callMethod(arguments []string) error {
	flags := flag.NewFlagSet("call-method", flag.ExitOnError)
	target := flags.String("target", "", "what to dial, such as dns:///localhost:50051")
	descriptors := flags.String("descriptors", "", "a file with a google.protobuf.FileDescriptorSet")
	name := flags.String("method", "", "pkg.Service/Method, unary or server streaming")
	authorization := flags.String("authorization", "", "the value of the header")
	request := flags.String("request", "{}", "the request as JSON")
	timeout := flags.Duration("timeout", 30*time.Second, "the call's deadline")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	method, err := findMethod(*descriptors, *name)
	if err != nil {
		return err
	}
	message := dynamicpb.NewMessage(method.Input())
	if err := protojson.Unmarshal([]byte(*request), message); err != nil {
		return err
	}
	connection, err := grpc.NewClient(*target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	if *authorization != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", *authorization)
	}
	err = receiveAll(ctx, connection, method, message)
	report(map[string]any{"code": status.Code(err).String(), "message": status.Convert(err).Message()})
	return nil
}

// findMethod looks a method up in a file of descriptors.
func findMethod(path string, name string) (protoreflect.MethodDescriptor, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(content, set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, err
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(strings.Replace(name, "/", ".", 1)))
	if err != nil {
		return nil, err
	}
	method, isMethod := found.(protoreflect.MethodDescriptor)
	if !isMethod {
		return nil, fmt.Errorf("%s is not a method", name)
	}
	return method, nil
}

// receiveAll sends the request and reports the responses until the call ends.
func receiveAll(ctx context.Context, connection *grpc.ClientConn, method protoreflect.MethodDescriptor, request proto.Message) error {
	description := &grpc.StreamDesc{ServerStreams: method.IsStreamingServer()}
	path := fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name())
	stream, err := connection.NewStream(ctx, description, path)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(request); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		response := dynamicpb.NewMessage(method.Output())
		if err := stream.RecvMsg(response); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		fields := map[string]any{}
		response.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
			fields[string(field.Name())] = toJSON(field, value)
			return true
		})
		report(map[string]any{"response": fields})
		if !method.IsStreamingServer() {
			return nil
		}
	}
}

// toJSON converts a field's value to what encoding/json writes.
func toJSON(field protoreflect.FieldDescriptor, value protoreflect.Value) any {
	switch {
	case field.IsList():
		items := []any{}
		for at := range value.List().Len() {
			items = append(items, oneToJSON(value.List().Get(at)))
		}
		return items
	default:
		return oneToJSON(value)
	}
}

func oneToJSON(value protoreflect.Value) any {
	message, isMessage := value.Interface().(protoreflect.Message)
	if !isMessage {
		return value.Interface()
	}
	fields := map[string]any{}
	message.Range(func(field protoreflect.FieldDescriptor, inner protoreflect.Value) bool {
		fields[string(field.Name())] = toJSON(field, inner)
		return true
	})
	return fields
}
