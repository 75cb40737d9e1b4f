import type { HandlerContext } from "@connectrpc/connect";

/** What a service needs of a request whoever sent it: who calls, for what, within which trace. */
const alwaysForwarded = [
  ...["authorization", "traceparent", "tracestate", "x-request-id", "idempotency-key", "accept-language"],
];

const headerName = /^[0-9a-z_.-]+$/;

/** @throws TypeError for what is not a name of metadata in lower case */
export function checkForwardHeaders(names: readonly string[]): void {
  for (const name of names) {
    if (headerName.test(name) && !name.startsWith("grpc-")) continue;
    throw new TypeError(
      `forward: forwardHeaders has ${JSON.stringify(name)}; it has to be the name of a header in lower case, and not one of gRPC's own`,
    );
  }
}

/** A context of Tercel's servers, which has headers before there is a Headers object. */
type PeekingContext = Pick<HandlerContext, "requestHeader"> & { peekHeader?(name: string): string | null };

/** Picks what is handed on of a request's headers. */
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

/** They describe the message between gateway and service, or that connection. */
const ofService: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"],
  ...["date", "server", "user-agent", "host", "accept-encoding", "vary"],
]);

function isOfService(name: string): boolean {
  return (
    ofService.has(name) || (name.startsWith("content-") && name !== "content-disposition") || name.startsWith("grpc-")
  );
}

/** Hands headers or trailers of a response on. `to` is asked for where there are any. */
export function copyResponseFields(from: Headers, to: () => Headers): void {
  from.forEach((value, name) => {
    if (!isOfService(name)) to().append(name, value);
  });
}
