import { connect, constants } from "node:http2";

const TIMEOUT_MS = 10_000;

/** Makes one gRPC call to a local port with node:http2. Resolves to the bytes of the response's body. Rejects if the call fails. */
export function callOnce(port: number, path: string, body: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    const fail = (error: Error): void => {
      session.destroy();
      reject(error);
    };
    session.on("error", fail);
    session.setTimeout(TIMEOUT_MS, () => fail(new Error(`${path} got no response within ${TIMEOUT_MS / 1000} s`)));
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    let status: string | undefined;
    stream.on("error", fail);
    stream.on("response", (headers) => {
      status = headers["grpc-status"]?.toString();
    });
    stream.on("trailers", (trailers) => {
      status = trailers["grpc-status"]?.toString();
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      if (status !== "0") return fail(new Error(`${path} failed with status ${status}`));
      // Not awaited, because only the response matters.
      session.close();
      resolve(Buffer.concat(chunks));
    });
    stream.end(body);
  });
}
