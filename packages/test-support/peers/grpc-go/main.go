// Command tercel-peer is grpc-go as a peer for contract tests: each subcommand is a small client or server.
// It prints one JSON object a line on stdout, and a subcommand may read lines from stdin.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// commands maps a subcommand to what runs it; each has a file of its own.
var commands = map[string]func(arguments []string) error{
	"call-method":       callMethod,
	"health-check":      healthCheck,
	"health-server":     healthServer,
	"read-stream":       readStream,
	"timeouts":          timeouts,
	"tls-health-server": tlsHealthServer,
	"too-many-pings":    tooManyPings,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintf(os.Stderr, "usage: tercel-peer COMMAND [flags]; unknown command %q\n", os.Args[1:])
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// report prints one event as a line of JSON.
func report(event map[string]any) {
	line, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(append(line, '\n'))
}
