package main

import (
	"context"
	"flag"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// healthCheck calls grpc.health.v1.Health/Check once and reports the status code and the serving status.
func healthCheck(arguments []string) error {
	flags := flag.NewFlagSet("health-check", flag.ExitOnError)
	target := flags.String("target", "", "what to dial, such as dns:///localhost:50051")
	authority := flags.String("authority", "", "the :authority and the name to verify; the target's without it")
	ca := flags.String("ca", "", "a PEM file of the certificate authority to trust; cleartext without it")
	timeout := flags.Duration("timeout", 10*time.Second, "the call's deadline")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	transport := insecure.NewCredentials()
	if *ca != "" {
		var err error
		if transport, err = credentials.NewClientTLSFromFile(*ca, ""); err != nil {
			return err
		}
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(transport)}
	if *authority != "" {
		options = append(options, grpc.WithAuthority(*authority))
	}
	connection, err := grpc.NewClient(*target, options...)
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	response, err := healthpb.NewHealthClient(connection).Check(ctx, &healthpb.HealthCheckRequest{})
	report(map[string]any{
		"code":    status.Code(err).String(),
		"message": status.Convert(err).Message(),
		"serving": response.GetStatus().String(),
	})
	return nil
}
