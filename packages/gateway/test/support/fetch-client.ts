import type { UniversalClientFn } from "@connectrpc/connect/protocol";

/** An HTTP client for Connect's transports. Their own client lacks the option that fetch in Node.js requires for a streamed body. */
export const fetchClient: UniversalClientFn = async ({ url, method, header, body, signal }) => {
  const response = await fetch(url, {
    ...{ method, headers: header, duplex: "half" },
    ...(body === undefined ? {} : { body: ReadableStream.from(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const headers = new Headers(response.headers);
  // The fetch of Node.js requests compression and has already decompressed the body.
  headers.delete("content-encoding");
  headers.delete("content-length");
  return { status: response.status, header: headers, body: chunksOf(response), trailer: new Headers() };
};

/** A generator, because Connect calls its `throw`. */
async function* chunksOf({ body }: Response): AsyncIterable<Uint8Array> {
  if (body !== null) yield* body;
}
