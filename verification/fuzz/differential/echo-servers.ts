/** Two echo servers, with Tercel's engine and with node:http2. */
import { once } from "node:events";
import {
  createServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerStreamResponseOptions,
} from "node:http2";
import type { AddressInfo } from "node:net";
import {
  createHttp2Server,
  type Http2Stream,
  type RequestHead,
  type ResponseHead,
  type StreamListener,
  type Trailers,
} from "@tercel/http2";

export interface EchoServer {
  port: number;
  close(): Promise<void>;
}

const trailerFields = { outcome: "done" };

/** Node has `sendDate`, but its types do not. */
const answerOptions: ServerStreamResponseOptions = Object.assign({ waitForTrailers: true }, { sendDate: false });

function answerBody(fields: readonly string[], trailers: readonly string[], body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(fields)}\n${JSON.stringify(trailers)}\n`), body]);
}

export async function startNodeServer(): Promise<EchoServer> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream: ServerHttp2Stream, _headers, _flags, rawHeaders: string[]) => {
    const chunks: Buffer[] = [];
    let trailers: string[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("trailers", (_trailers, _flags, raw: string[]) => {
      trailers = raw;
    });
    stream.on("error", () => {});
    stream.on("end", () => {
      stream.respond({ ":status": 200, "content-type": "text/plain" }, answerOptions);
      stream.on("wantTrailers", () => stream.sendTrailers(trailerFields));
      stream.end(answerBody(rawHeaders, trailers, Buffer.concat(chunks)));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export async function startOurServer(): Promise<EchoServer> {
  const server = createHttp2Server({
    onStream: (stream, head) => {
      stream.listener = new Echo(stream, head);
    },
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  return { port: server.address?.port ?? 0, close: () => server.close(0) };
}

class Echo implements StreamListener {
  private readonly stream: Http2Stream;
  private readonly head: RequestHead;
  private readonly chunks: Buffer[] = [];
  private trailers: readonly string[] = [];

  constructor(stream: Http2Stream, head: RequestHead) {
    this.stream = stream;
    this.head = head;
  }

  onHead(_head: ResponseHead): void {}

  onData(bytes: Uint8Array, start: number, end: number): void {
    this.chunks.push(Buffer.from(bytes.subarray(start, end)));
    this.stream.consume(end - start);
  }

  onTrailers(trailers: Trailers): void {
    this.trailers = trailers.fields;
  }

  onEnd(): void {
    const { method, scheme, authority = "", path, fields } = this.head;
    const all = [":method", method, ":scheme", scheme, ":authority", authority, ":path", path, ...fields];
    this.stream.sendHeaders([":status", "200", "content-type", "text/plain"]);
    this.stream.sendData(answerBody(all, this.trailers, Buffer.concat(this.chunks)));
    this.stream.sendTrailers(Object.entries(trailerFields).flat());
  }

  onReset(): void {}
  onWritable(): void {}
}
