import type { HandlerContext } from "@connectrpc/connect";

/** The headers that every service needs: credentials, trace, request id, idempotency key and language. */
const alwaysForwarded = [
  ...["authorization", "traceparent", "tracestate", "x-request-id", "idempotency-key", "accept-language"],
];

const headerName = /^[0-9a-z_.-]+$/;

/** @throws TypeError for a name that is not a lower-case header name, or is reserved by gRPC */
export function checkForwardHeaders(names: readonly string[]): void {
  for (const name of names) {
    if (headerName.test(name) && !name.startsWith("grpc-")) continue;
    throw new TypeError(
      `forward: forwardHeaders has ${JSON.stringify(name)}; it has to be the name of a header in lower case, and not one of gRPC's own`,
    );
  }
}

/** The context of Tercel's servers, which can read headers without creating a Headers object. */
type PeekingContext = Pick<HandlerContext, "requestHeader"> & { peekHeader?(name: string): string | null };

/** Returns a function that selects the request headers to forward. */
export function forwardedHeaders(more: readonly string[]): (context: HandlerContext) => Headers {
  const names = [...new Set([...alwaysForwarded, ...more])];
  return (context: PeekingContext) => {
    const passed = new Headers();
    for (const name of names) {
      const value = context.peekHeader === undefined ? context.requestHeader.get(name) : context.peekHeader(name);
      if (value !== null) passed.set(name, value);
    }
    return passed;
  };
}

/** Headers that belong to the connection between gateway and service, or describe its messages. */
const ofService: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"],
  ...["date", "server", "user-agent", "host", "accept-encoding", "vary"],
]);

function isOfService(name: string): boolean {
  return (
    ofService.has(name) || (name.startsWith("content-") && name !== "content-disposition") || name.startsWith("grpc-")
  );
}

/** Copies response headers or trailers. `to` is called only if there are any. */
export function copyResponseFields(from: Headers, to: () => Headers): void {
  from.forEach((value, name) => {
    if (!isOfService(name)) to().append(name, value);
  });
}
