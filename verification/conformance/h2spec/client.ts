/**
 * The client that h2specd starts for each case, with the URL of the case's server. It sends one GET and keeps the
 * connection until the server closes it, because many cases continue after the response.
 */
import { connect } from "@tercel/http2";

/** The time limit of the connection. h2specd gives up after three seconds. */
const patienceMs = 2500;

const { protocol, hostname, port, pathname } = new URL(process.argv[2] as string);
setTimeout(() => process.exit(1), patienceMs);
const connection = await connect(
  { host: hostname, port: Number(port) },
  { onGoaway: () => process.exit(0), onClose: () => process.exit(0) },
  protocol === "https:" ? { tls: { rejectUnauthorized: false } } : {},
);
const stream = connection.request(
  [":method", "GET", ":scheme", protocol.slice(0, -1), ":path", pathname, ":authority", `${hostname}:${port}`],
  [],
  true,
  {
    onHead() {},
    onData: (_bytes, start, end) => stream.consume(end - start),
    onTrailers() {},
    onEnd() {},
    onReset() {},
    onWritable() {},
  },
);
