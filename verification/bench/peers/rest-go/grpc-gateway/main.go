// Command grpc-gateway is grpc-gateway's REST face of a gRPC server.
package main

import (
	"context"
	"log"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"

	"bench-rest-go/gen/api/user/v1"
	"bench-rest-go/serve"
)

func main() {
	connection, err := grpc.NewClient(serve.Upstream(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	// Omits fields that are not set, like the other peers, so that all responses have the same size.
	marshaler := &runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitUnpopulated: false}}
	mux := runtime.NewServeMux(runtime.WithMarshalerOption(runtime.MIMEWildcard, marshaler))
	if err := userv1.RegisterUserServiceHandler(context.Background(), mux, connection); err != nil {
		log.Fatal(err)
	}
	serve.Run(mux)
}
