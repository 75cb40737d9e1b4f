// Command tercel-vanguard is vanguard-go's REST face of a gRPC server, for tests that compare what it makes of a request. Its arguments are the port of the
// gRPC server, a descriptor set, and the full name of a service in it. It prints the port that it listens on.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"connectrpc.com/vanguard"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: tercel-vanguard <upstream port> <descriptor set> <service>")
	}
	transcoder, err := createTranscoder(os.Args[1], os.Args[2], protoreflect.FullName(os.Args[3]))
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, transcoder))
}

func createTranscoder(upstreamPort, descriptorSet string, name protoreflect.FullName) (http.Handler, error) {
	bytes, err := os.ReadFile(descriptorSet)
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(bytes, &set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, err
	}
	found, err := files.FindDescriptorByName(name)
	if err != nil {
		return nil, err
	}
	service := vanguard.NewServiceWithSchema(
		found.(protoreflect.ServiceDescriptor),
		proxyTo(&url.URL{Scheme: "http", Host: "127.0.0.1:" + upstreamPort}),
		vanguard.WithTargetProtocols(vanguard.ProtocolGRPC),
		vanguard.WithTargetCodecs(vanguard.CodecProto),
		vanguard.WithTypeResolver(dynamicpb.NewTypes(files)),
	)
	// Fields that are not set are left out, as by Tercel's gateway.
	codec := vanguard.WithCodec(func(types vanguard.TypeResolver) vanguard.Codec {
		json := vanguard.NewJSONCodec(types)
		json.MarshalOptions.EmitUnpopulated = false
		return json
	})
	return vanguard.NewTranscoder([]*vanguard.Service{service}, codec)
}

func proxyTo(upstream *url.URL) http.Handler {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return &httputil.ReverseProxy{
		Rewrite:       func(request *httputil.ProxyRequest) { request.SetURL(upstream) },
		Transport:     &http.Transport{Protocols: &protocols},
		FlushInterval: -1,
		ErrorLog:      log.New(os.Stderr, "", 0),
	}
}
