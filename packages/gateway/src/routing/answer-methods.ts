import type { Log } from "@tercel/grpc";
import { findHeader } from "../calls/read-fields.ts";
import type { Responder } from "../calls/responder.ts";
import type { Cors } from "../cors.ts";

/** The value of `allow` for a path with `methods`: adds HEAD to GET, and OPTIONS to all. */
export function allowedMethods(methods: readonly string[]): readonly string[] {
  const allowed = new Set(methods);
  if (allowed.has("GET")) allowed.add("HEAD");
  return [...allowed.add("OPTIONS")];
}

/** Responds to OPTIONS, including CORS preflights. */
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
      log.warn("CORS preflight from an origin that is not allowed", { origin: origin.slice(0, 128) });
    }
  }
  responder.sendHead(204, fields);
  responder.end();
}
