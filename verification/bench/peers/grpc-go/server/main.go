// Command server is grpc-go's echo server. Its argument is the port (0 for any free one).
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	echo "bench-grpc-go/gen"
)

type echoService struct {
	echo.UnimplementedEchoServiceServer
	rows []userRow
}

func (echoService) Unary(_ context.Context, request *echo.EchoRequest) (*echo.EchoResponse, error) {
	return &echo.EchoResponse{Message: request.Message, Payload: request.Payload}, nil
}

func (echoService) ServerStream(request *echo.StreamRequest, stream grpc.ServerStreamingServer[echo.EchoResponse]) error {
	payload := make([]byte, request.PayloadSize)
	for range request.Count {
		if err := stream.Send(&echo.EchoResponse{Payload: payload}); err != nil {
			return err
		}
	}
	return nil
}

func (echoService) ClientStream(stream grpc.ClientStreamingServer[echo.EchoRequest, echo.SummaryResponse]) error {
	summary := &echo.SummaryResponse{}
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(summary)
		}
		if err != nil {
			return err
		}
		summary.Messages++
		summary.PayloadBytes += uint32(len(request.Payload))
	}
}

func (service echoService) UnaryLater(ctx context.Context, request *echo.EchoRequest) (*echo.EchoResponse, error) {
	time.Sleep(time.Millisecond)
	return service.Unary(ctx, request)
}

func (service echoService) ListUsers(_ context.Context, request *echo.ListUsersRequest) (*echo.ListUsersResponse, error) {
	return listUsers(service.rows, int(request.PageSize)), nil
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: server <port>")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	options := []grpc.ServerOption{}
	if certFile := os.Getenv("BENCH_TLS_CERT"); certFile != "" {
		tls, err := credentials.NewServerTLSFromFile(certFile, os.Getenv("BENCH_TLS_KEY"))
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.Creds(tls))
	}
	server := grpc.NewServer(options...)
	echo.RegisterEchoServiceServer(server, echoService{rows: userRows()})

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		server.Stop()
	}()

	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}
