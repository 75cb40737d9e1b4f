import type { UniversalClientFn } from "@connectrpc/connect/protocol";

/** An HTTP client for Connect's transports. Theirs lacks the option that Node's fetch wants for a body that is a stream. */
export const fetchClient: UniversalClientFn = async ({ url, method, header, body, signal }) => {
  const response = await fetch(url, {
    ...{ method, headers: header, duplex: "half" },
    ...(body === undefined ? {} : { body: ReadableStream.from(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const headers = new Headers(response.headers);
  // Node's fetch asks for it, and has undone it.
  headers.delete("content-encoding");
  headers.delete("content-length");
  return { status: response.status, header: headers, body: chunksOf(response), trailer: new Headers() };
};

/** A generator, because Connect throws into it. */
async function* chunksOf({ body }: Response): AsyncIterable<Uint8Array> {
  if (body !== null) yield* body;
}
