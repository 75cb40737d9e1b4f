// Command client is grpc-go's load: <target> <unary|stream|client-stream> <concurrency> <seconds> [<messages> <payload bytes>].
//
// It calls over one channel with one goroutine per concurrent call. One JSON line reports the end of the warm-up,
// and the last one the calls of the measured seconds. Calls that are running at the end do not count.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	echo "bench-grpc-go/gen"
)

const (
	message = "hello from the bench"
	warmUp  = 5 * time.Second
	usage   = "usage: client <target> <unary|stream|client-stream> <concurrency> <seconds> [<messages> <payload bytes>]"
)

// The messages of each streaming call, unless the command line sets them.
var (
	messagesPerStream = 1000
	payloadSize       = 16
)

// Each counter has its own cache line, so that counting on one core does not slow down another.
type counter struct {
	done atomic.Int64
	_    [56]byte
}

func unary(client echo.EchoServiceClient, count *counter) error {
	request := &echo.EchoRequest{Message: message}
	for {
		response, err := client.Unary(context.Background(), request)
		if err != nil {
			return err
		}
		if response.Message != message {
			return fmt.Errorf("the answer is %q", response.Message)
		}
		count.done.Add(1)
	}
}

func serverStream(client echo.EchoServiceClient, count *counter) error {
	for {
		stream, err := client.ServerStream(context.Background(), &echo.StreamRequest{Count: uint32(messagesPerStream), PayloadSize: uint32(payloadSize)})
		if err != nil {
			return err
		}
		received := 0
		for {
			var response *echo.EchoResponse
			if response, err = stream.Recv(); err != nil {
				break
			}
			if len(response.Payload) != payloadSize {
				return fmt.Errorf("a message has %d bytes instead of %d", len(response.Payload), payloadSize)
			}
			received++
			count.done.Add(1)
		}
		if err != io.EOF {
			return err
		}
		if received != messagesPerStream {
			return fmt.Errorf("%d messages came instead of %d", received, messagesPerStream)
		}
	}
}

func clientStream(client echo.EchoServiceClient, count *counter) error {
	request := &echo.EchoRequest{Payload: make([]byte, payloadSize)}
	for {
		stream, err := client.ClientStream(context.Background())
		if err != nil {
			return err
		}
		for range messagesPerStream {
			if err := stream.Send(request); err != nil {
				// Only RecvMsg returns why the call ended.
				_, err := stream.CloseAndRecv()
				return fmt.Errorf("the call ended while sending: %w", err)
			}
		}
		summary, err := stream.CloseAndRecv()
		if err != nil {
			return err
		}
		if int(summary.Messages) != messagesPerStream || int(summary.PayloadBytes) != messagesPerStream*payloadSize {
			return fmt.Errorf("the server counted %d messages with %d bytes", summary.Messages, summary.PayloadBytes)
		}
		// Counted when the server has confirmed them, because messages in this process's buffers have not been served.
		count.done.Add(int64(messagesPerStream))
	}
}

func cpuMicros() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return (usage.Utime.Nano() + usage.Stime.Nano()) / 1000
}

func total(counters []counter) int64 {
	sum := int64(0)
	for i := range counters {
		sum += counters[i].done.Load()
	}
	return sum
}

func wholeNumber(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 {
		log.Fatalf("%q is not a whole number above 0", text)
	}
	return value
}

func main() {
	if len(os.Args) != 5 && len(os.Args) != 7 {
		log.Fatal(usage)
	}
	kind := os.Args[2]
	run, known := map[string]func(echo.EchoServiceClient, *counter) error{
		"unary": unary, "stream": serverStream, "client-stream": clientStream,
	}[kind]
	if !known {
		log.Fatalf("%q is not a kind of call", kind)
	}
	concurrency, err := strconv.Atoi(os.Args[3])
	if err != nil || concurrency < 1 {
		log.Fatalf("%q is not a concurrency", os.Args[3])
	}
	seconds, err := strconv.ParseFloat(os.Args[4], 64)
	if err != nil || seconds <= 0 {
		log.Fatalf("%q is not a number of seconds", os.Args[4])
	}

	if len(os.Args) == 7 {
		messagesPerStream, payloadSize = wholeNumber(os.Args[5]), wholeNumber(os.Args[6])
	}

	transport := insecure.NewCredentials()
	if certFile := os.Getenv("BENCH_TLS_CERT"); certFile != "" {
		if transport, err = credentials.NewClientTLSFromFile(certFile, ""); err != nil {
			log.Fatal(err)
		}
	}
	connection, err := grpc.NewClient("passthrough:///"+os.Args[1], grpc.WithTransportCredentials(transport))
	if err != nil {
		log.Fatal(err)
	}
	client := echo.NewEchoServiceClient(connection)
	counters := make([]counter, concurrency)
	for i := range counters {
		go func() { log.Fatal(run(client, &counters[i])) }()
	}

	time.Sleep(warmUp)
	// Reports when the CPU time of the server begins to count.
	fmt.Println(`{"measuring":true}`)
	started, cpuBefore, doneBefore := time.Now(), cpuMicros(), total(counters)
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	done, cpu, elapsed := total(counters)-doneBefore, cpuMicros()-cpuBefore, time.Since(started)

	unit := "messages"
	if kind == "unary" {
		unit = "calls"
	}
	line, err := json.Marshal(map[string]any{unit: done, "seconds": elapsed.Seconds(), "cpuMicros": cpu})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}
