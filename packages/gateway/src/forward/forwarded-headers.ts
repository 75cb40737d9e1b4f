import type { HandlerContext, UnaryResponse } from "@connectrpc/connect";
import { receivedMetadata } from "@tercel/grpc/protocols";

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

/** Picks what is handed on of a request's headers; undefined for nothing. */
export function forwardedHeaders(more: readonly string[]): (context: HandlerContext) => [string, string][] | undefined {
  const names = [...new Set([...alwaysForwarded, ...more])];
  return (context: PeekingContext) => {
    let passed: [string, string][] | undefined;
    for (const name of names) {
      const value = context.peekHeader === undefined ? context.requestHeader.get(name) : context.peekHeader(name);
      if (value === null) continue;
      passed ??= [];
      passed.push([name, value]);
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

/** A response of Tercel's channels, which has fields before there are Headers objects. */
type PeekingResponse = Pick<UnaryResponse, "header" | "trailer"> & {
  readonly headFields?: readonly string[] | undefined;
  readonly trailerFields?: readonly string[] | undefined;
};

/** Hands the headers of a response on. */
export function copyHeader(response: PeekingResponse, context: HandlerContext): void {
  const { headFields } = response;
  if (headFields === undefined) copyResponseFields(response.header, () => context.responseHeader);
  else copyFields(headFields, () => context.responseHeader);
}

/** Hands the trailers of a response on, which has ended. */
export function copyTrailer(response: PeekingResponse, context: HandlerContext): void {
  const { trailerFields } = response;
  if (trailerFields === undefined) copyResponseFields(response.trailer, () => context.responseTrailer);
  else copyFields(trailerFields, () => context.responseTrailer);
}

/** Hands headers or trailers on. `to` is asked for where there are any. */
export function copyResponseFields(from: Headers, to: () => Headers): void {
  from.forEach((value, name) => {
    if (!isOfService(name)) to().append(name, value);
  });
}

/** Most responses have nothing but what gRPC writes. */
function copyFields(fields: readonly string[], to: () => Headers): void {
  if (!fields.some((name, at) => at % 2 === 0 && !isOfService(name))) return;
  const received = receivedMetadata(fields);
  for (let at = 0; at < received.length; at += 2) {
    const name = received[at] as string;
    if (!isOfService(name)) to().append(name, received[at + 1] as string);
  }
}
