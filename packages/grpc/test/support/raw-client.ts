import { connect, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import type { TestContext } from "node:test";

export const unaryPath = "/tercel.grpc.test.v1.EchoService/Unary";

export interface RawResponse {
  readonly status: number;
  /** What came in the head; for a response of a head alone, everything. */
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** RFC 9113 §7, when the stream was reset. */
  readonly resetCode: number | undefined;
  /** The status of the call, wherever it stood. */
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string | undefined;
}

/** Sends whatever a test likes, one request after the other on one connection. */
export type SendRaw = (
  headers: OutgoingHttpHeaders,
  body?: Uint8Array | readonly Uint8Array[],
  options?: { leaveOpen?: boolean },
) => Promise<RawResponse>;

export const grpcHeaders: OutgoingHttpHeaders = {
  ":method": "POST",
  ":path": unaryPath,
  "content-type": "application/grpc",
  te: "trailers",
};

/** A client that keeps none of gRPC's rules by itself. */
export function openRawClient(test: TestContext, target: string): SendRaw {
  const session = connect(`http://${target}`);
  session.on("error", () => {});
  test.after(() => session.destroy());
  return (headers, body = [], options = {}) =>
    new Promise((resolve, reject) => {
      const request = session.request({ ...grpcHeaders, ...headers }, { endStream: false });
      let head: IncomingHttpHeaders = {};
      let trailers: IncomingHttpHeaders = {};
      const chunks: Buffer[] = [];
      request.on("response", (given) => {
        head = given;
      });
      request.on("trailers", (given) => {
        trailers = given;
      });
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("error", (error) => {
        if (request.rstCode === constants.NGHTTP2_NO_ERROR) reject(error);
      });
      request.on("close", () => {
        resolve({
          status: Number(head[":status"]),
          headers: head,
          trailers,
          body: Buffer.concat(chunks),
          resetCode: request.rstCode === constants.NGHTTP2_NO_ERROR ? undefined : request.rstCode,
          grpcStatus: one(trailers["grpc-status"] ?? head["grpc-status"]),
          grpcMessage: one(trailers["grpc-message"] ?? head["grpc-message"]),
        });
      });
      const parts = body instanceof Uint8Array ? [body] : body;
      for (const part of parts) request.write(part);
      if (options.leaveOpen !== true) request.end();
    });
}

/** A message with gRPC's prefix before it; `flag` and `length` may lie. */
export function framed(payload: Uint8Array, flag = 0, length = payload.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, payload]);
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(",") : value;
}
