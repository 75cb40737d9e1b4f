package main

import (
	"context"
	"flag"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// tlsHealthServer serves grpc.health.v1.Health over TLS on a free port of 127.0.0.1. It reports the port, and for each call
// the server name that TLS asked for and the :authority.
func tlsHealthServer(arguments []string) error {
	flags := flag.NewFlagSet("tls-health-server", flag.ExitOnError)
	cert := flags.String("cert", "", "a PEM file of the certificate")
	key := flags.String("key", "", "a PEM file of its private key")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	transport, err := credentials.NewServerTLSFromFile(*cert, *key)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.Creds(transport), grpc.UnaryInterceptor(
		func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			headers, _ := metadata.FromIncomingContext(ctx)
			caller, _ := peer.FromContext(ctx)
			report(map[string]any{
				"serverName": caller.AuthInfo.(credentials.TLSInfo).State.ServerName,
				"authority":  headers.Get(":authority")[0],
			})
			return handler(ctx, request)
		},
	))
	healthpb.RegisterHealthServer(server, health.NewServer())
	report(map[string]any{"port": listener.Addr().(*net.TCPAddr).Port})
	return server.Serve(listener)
}
