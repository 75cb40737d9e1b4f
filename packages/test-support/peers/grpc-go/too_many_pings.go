package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/grpclog"
	"google.golang.org/grpc/keepalive"
)

// pingFrame is a PING of eight zero bytes.
var pingFrame = []byte{0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

// tooManyPings connects, sends PING frames until the server ends the connection, and reports the channel's keepalive time before
// and after, with the errors that grpc-go logged. The frames are written beside grpc-go, which pings every 10 seconds at most.
func tooManyPings(arguments []string) error {
	flags := flag.NewFlagSet("too-many-pings", flag.ExitOnError)
	target := flags.String("target", "", "what to dial")
	timeout := flags.Duration("timeout", 30*time.Second, "how long all may take")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	var errorLog lockedBuffer
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, &errorLog))
	connections := make(chan net.Conn, 1)
	channel, err := grpc.NewClient(*target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, PermitWithoutStream: true}),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err == nil {
				select {
				case connections <- connection:
				default:
				}
			}
			return connection, err
		}),
	)
	if err != nil {
		return err
	}
	defer channel.Close()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	channel.Connect()
	for state := channel.GetState(); state != connectivity.Ready; state = channel.GetState() {
		if !channel.WaitForStateChange(ctx, state) {
			return errors.New("no connection in time")
		}
	}
	before := keepaliveTime(channel)
	connection := <-connections
	for count := 0; count < 4; count++ {
		// A connection without calls has nothing else to write, so no frame of grpc-go is cut.
		if _, err := connection.Write(pingFrame); err != nil {
			return err
		}
	}
	if !channel.WaitForStateChange(ctx, connectivity.Ready) {
		return errors.New("the server did not end the connection in time")
	}
	report(map[string]any{
		"keepaliveMsBefore": before.Milliseconds(),
		"keepaliveMsAfter":  keepaliveTime(channel).Milliseconds(),
		"errors":            strings.TrimSpace(errorLog.String()),
	})
	return nil
}

// keepaliveTime returns what the channel's next connection will use, which grpc-go shows nowhere.
func keepaliveTime(channel *grpc.ClientConn) time.Duration {
	return time.Duration(reflect.ValueOf(channel).Elem().FieldByName("keepaliveParams").FieldByName("Time").Int())
}

// lockedBuffer is a buffer that several goroutines may use.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}
