/** The framework-independent part of the server contract: the port argument, the line, the signal. */

/** The port from the command line; 0 is any free one. */
export function portArgument(): number {
  const port = Number(process.argv[2]);
  if (process.argv.length !== 3 || !Number.isInteger(port) || port < 0 || port > 65535) {
    console.error("usage: server <port>");
    process.exit(1);
  }
  return port;
}

/** Prints that `port` is served, and runs `stop` at SIGTERM before the process ends. */
export function announce(port: number, stop: () => unknown): void {
  process.once("SIGTERM", async () => {
    await stop();
    process.exit(0);
  });
  console.log(JSON.stringify({ port }));
}
