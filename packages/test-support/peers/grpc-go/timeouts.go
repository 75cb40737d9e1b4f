package main

import (
	"context"
	"flag"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// timeouts makes many unary calls with a short deadline over one channel and reports how often each status code ended one.
func timeouts(arguments []string) error {
	flags := flag.NewFlagSet("timeouts", flag.ExitOnError)
	target := flags.String("target", "", "what to dial")
	method := flags.String("method", "", "the method's path; its messages may be empty")
	calls := flags.Int64("calls", 1, "how many calls")
	concurrency := flags.Int("concurrency", 1, "how many at a time")
	timeout := flags.Duration("timeout", time.Millisecond, "each call's deadline")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	connection, err := grpc.NewClient(*target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	codes := map[string]int{}
	messages := map[string]string{}
	var mutex sync.Mutex
	var started atomic.Int64
	var group sync.WaitGroup
	for range *concurrency {
		group.Go(func() {
			for started.Add(1) <= *calls {
				ctx, cancel := context.WithTimeout(context.Background(), *timeout)
				err := connection.Invoke(ctx, *method, &emptypb.Empty{}, &emptypb.Empty{}, grpc.WaitForReady(true))
				cancel()
				code := status.Code(err).String()
				mutex.Lock()
				codes[code]++
				messages[code] = status.Convert(err).Message()
				mutex.Unlock()
			}
		})
	}
	group.Wait()
	report(map[string]any{"codes": codes, "messages": messages})
	return nil
}
