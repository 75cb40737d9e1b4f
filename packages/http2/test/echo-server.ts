import assert from "node:assert/strict";
import {
  type ConnectionEvents,
  type ConnectOptions,
  connect,
  createHttp2Server,
  type Http2Connection,
  type Http2Error,
  type Http2Server,
  type Http2ServerOptions,
  type ListenAddress,
} from "../src/index.ts";
import { RecordedStream } from "../src/testing/index.ts";
import { ok, post } from "./example-fields.ts";

export const local: ListenAddress = { host: "127.0.0.1", port: 0 };

/** Answers with what came, and trailers that tell its length. */
export const echo: Http2ServerOptions["onStream"] = (stream) => {
  const recorded = new RecordedStream();
  recorded.stream = stream;
  stream.listener = recorded;
  recorded.during = (call) => {
    if (call !== "end") return;
    stream.sendHeaders(ok);
    if (recorded.body.length > 0) stream.sendData(recorded.body);
    stream.sendTrailers(["x-length", String(recorded.body.length)]);
  };
};

/** Sends a request on our client and waits until it is over. */
export function ask(connection: Http2Connection, body: Uint8Array): Promise<RecordedStream> {
  return new Promise((resolve) => {
    const recorded = new RecordedStream();
    recorded.during = (call) => {
      if (call === "end" || call === "reset") resolve(recorded);
    };
    recorded.stream = connection.request(post, [":authority", "localhost"], body.length === 0, recorded);
    if (body.length > 0) recorded.stream.sendData(body, true);
  });
}

export async function withServer(
  options: Partial<Http2ServerOptions>,
  address: ListenAddress,
  run: (address: ListenAddress, server: Http2Server) => Promise<void>,
): Promise<void> {
  const server = createHttp2Server({ onStream: echo, ...options });
  await server.listen(address);
  try {
    await run(server.address as ListenAddress, server);
  } finally {
    await server.close(0);
  }
}

export function portOf(address: ListenAddress): number {
  assert.ok(address.port !== undefined);
  return address.port;
}

export async function withConnection(
  address: ListenAddress,
  options: ConnectOptions,
  run: (connection: Http2Connection) => Promise<void>,
): Promise<void> {
  const events: ConnectionEvents = {};
  const closed = new Promise<Http2Error | undefined>((resolve) => {
    events.onClose = resolve;
  });
  const connection = await connect(address, events, options);
  try {
    await run(connection);
  } finally {
    connection.close();
    await closed;
  }
}
