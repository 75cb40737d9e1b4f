import type { Log } from "@tercel/grpc";
import { findHeader } from "../calls/read-fields.ts";
import type { Responder } from "../calls/responder.ts";
import type { Cors } from "../cors.ts";

/** The HTTP methods of a path that exists for `methods`: with GET there is HEAD, and OPTIONS is answered everywhere. */
export function allowedMethods(methods: readonly string[]): readonly string[] {
  const allowed = new Set(methods);
  if (allowed.has("GET")) allowed.add("HEAD");
  return [...allowed.add("OPTIONS")];
}

/** Answers OPTIONS, of a browser that asks before a request of another origin as well. */
export function answerOptions(
  responder: Responder,
  allowed: readonly string[],
  { cors, log }: { readonly cors: Cors | undefined; readonly log: Log },
): void {
  const { fields: received } = responder.head;
  const origin = findHeader(received, "origin");
  const fields = ["allow", allowed.join(", ")];
  if (cors !== undefined && origin !== undefined) {
    fields.push(...cors.preflightFields(origin, allowed, findHeader(received, "access-control-request-headers")));
    if (!cors.allows(origin)) {
      log.warn("a web page of an origin that cors does not allow", { origin: origin.slice(0, 128) });
    }
  }
  responder.sendHead(204, fields);
  responder.end();
}
