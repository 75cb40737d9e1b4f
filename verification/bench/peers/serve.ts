/** The half of the server contract that has nothing to do with the framework: the port argument, the line, the signal. */

/** The port from the command line; 0 asks for any free one. */
export function portArgument(): number {
  const port = Number(process.argv[2]);
  if (process.argv.length !== 3 || !Number.isInteger(port) || port < 0 || port > 65535) {
    console.error("usage: server <port>");
    process.exit(1);
  }
  return port;
}

/** Says on stdout that `port` is served from now on, and runs `stop` at SIGTERM before the process ends. */
export function announce(port: number, stop: () => unknown): void {
  process.once("SIGTERM", async () => {
    await stop();
    process.exit(0);
  });
  console.log(JSON.stringify({ port }));
}
