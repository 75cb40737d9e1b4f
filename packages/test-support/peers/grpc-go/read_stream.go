package main

import (
	"context"
	"flag"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// readStream makes one server-streaming call and reports how many messages it received before the status, and the status.
func readStream(arguments []string) error {
	flags := flag.NewFlagSet("read-stream", flag.ExitOnError)
	target := flags.String("target", "", "what to dial")
	method := flags.String("method", "", "the method's path; its messages may be empty")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	connection, err := grpc.NewClient(*target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	stream, err := connection.NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true}, *method)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	received := 0
	for {
		if err := stream.RecvMsg(&emptypb.Empty{}); err != nil {
			report(map[string]any{"received": received, "code": status.Code(err).String(), "message": status.Convert(err).Message()})
			return nil
		}
		received++
	}
}
