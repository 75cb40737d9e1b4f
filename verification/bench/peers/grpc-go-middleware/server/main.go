// Command server is grpc-go's echo server with go-grpc-middleware v2: recovery, a log line for each call, Prometheus and bearer tokens, composed as in its
// documentation. Usage: server <verify|keep> <metrics port> <port>. "verify" verifies the token of each call, and "keep" remembers verified
// tokens. Port 0 is any free one.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/golang-jwt/jwt/v5"
	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/auth"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	echo "bench-grpc-go/gen"
)

// The values that callers and server share. interceptors/caller.ts creates the tokens.
const (
	issuer   = "https://issuer.example"
	audience = "bench"
	scope    = "echo.call"
)

var secret = bytes.Repeat([]byte{7}, 32)

type echoService struct {
	echo.UnimplementedEchoServiceServer
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

type claims struct {
	Scope string `json:"scope"`
	jwt.RegisteredClaims
}

type claimsKey struct{}

// verifier checks bearer tokens. With "keep", it remembers verified ones.
type verifier struct {
	parser *jwt.Parser
	keeps  bool
	kept   sync.Map
}

func newVerifier(keeps bool) *verifier {
	return &verifier{
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{"HS256"}),
			jwt.WithIssuer(issuer),
			jwt.WithAudience(audience),
			jwt.WithExpirationRequired(),
		),
		keeps: keeps,
	}
}

func (v *verifier) authenticate(ctx context.Context) (context.Context, error) {
	token, err := auth.AuthFromMD(ctx, "bearer")
	if err != nil {
		return nil, err
	}
	verified, err := v.verify(token)
	if err != nil {
		return nil, status.Errorf(codes.Unauthenticated, "invalid token: %v", err)
	}
	if !slices.Contains(strings.Fields(verified.Scope), scope) {
		return nil, status.Errorf(codes.PermissionDenied, "the token lacks the scope %s", scope)
	}
	return context.WithValue(ctx, claimsKey{}, verified), nil
}

func (v *verifier) verify(token string) (*claims, error) {
	if v.keeps {
		if known, ok := v.kept.Load(token); ok && time.Now().Before(known.(*claims).ExpiresAt.Time) {
			return known.(*claims), nil
		}
	}
	verified := &claims{}
	if _, err := v.parser.ParseWithClaims(token, verified, func(*jwt.Token) (any, error) { return secret, nil }); err != nil {
		return nil, err
	}
	if v.keeps {
		v.kept.Store(token, verified)
	}
	return verified, nil
}

// linesOf adapts slog to the middleware's logger, as in its documentation.
func linesOf(logger *slog.Logger) logging.Logger {
	return logging.LoggerFunc(func(ctx context.Context, level logging.Level, message string, fields ...any) {
		logger.Log(ctx, slog.Level(level), message, fields...)
	})
}

func main() {
	if len(os.Args) != 4 || (os.Args[1] != "verify" && os.Args[1] != "keep") {
		log.Fatal("usage: server <verify|keep> <metrics port> <port>")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	metrics := grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram())
	registry.MustRegister(metrics)
	logger := linesOf(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	onFinish := logging.WithLogOnEvents(logging.FinishCall)
	onPanic := recovery.WithRecoveryHandler(func(panicked any) error {
		slog.Error("recovered from a panic", "panic", panicked, "stack", string(debug.Stack()))
		return status.Error(codes.Internal, "internal error")
	})
	tokens := newVerifier(os.Args[1] == "keep")
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(
			metrics.UnaryServerInterceptor(),
			logging.UnaryServerInterceptor(logger, onFinish),
			auth.UnaryServerInterceptor(tokens.authenticate),
			recovery.UnaryServerInterceptor(onPanic),
		),
		grpc.ChainStreamInterceptor(
			metrics.StreamServerInterceptor(),
			logging.StreamServerInterceptor(logger, onFinish),
			auth.StreamServerInterceptor(tokens.authenticate),
			recovery.StreamServerInterceptor(onPanic),
		),
	)
	echo.RegisterEchoServiceServer(server, echoService{})
	metrics.InitializeMetrics(server)

	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	scraped, err := net.Listen("tcp", "127.0.0.1:"+os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(scraped, nil)) }()

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
