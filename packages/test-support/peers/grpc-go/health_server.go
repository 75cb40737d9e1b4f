package main

import (
	"flag"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// healthServer serves grpc.health.v1.Health on a free port of the loopback, reports the port, and runs until it is killed.
func healthServer(arguments []string) error {
	flags := flag.NewFlagSet("health-server", flag.ExitOnError)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, health.NewServer())
	report(map[string]any{"port": listener.Addr().(*net.TCPAddr).Port})
	return server.Serve(listener)
}
