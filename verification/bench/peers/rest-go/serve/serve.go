// Package serve is the contract of every measured proxy.
package serve

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// Upstream returns the address of the gRPC server behind the proxy: the first argument is its port.
func Upstream() string {
	if len(os.Args) != 3 {
		log.Fatal("usage: proxy <upstream port> <port>")
	}
	return "127.0.0.1:" + os.Args[1]
}

// Run serves handler at the port of the second argument, or any free one for 0, and prints the port. It ends at SIGTERM.
func Run(handler http.Handler) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		os.Exit(0)
	}()
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, handler))
}
