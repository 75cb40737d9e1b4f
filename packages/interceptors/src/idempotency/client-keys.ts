import { randomUUID } from "node:crypto";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Interceptor } from "@connectrpc/connect";
import { callback, headerOption, type OptionsOf, readOptions } from "../call/options.ts";
import { idempotencyHeader } from "./idempotency-key.ts";

export const idempotencyKeysOptions = {
  /** The name of the metadata with the key. Default `idempotency-key`. */
  header: headerOption().or(idempotencyHeader),
  /** Returns a new key. Default: a random UUID. */
  makeKey: callback<() => string>().or(randomUUID),
};

export type IdempotencyKeysOptions = OptionsOf<typeof idempotencyKeysOptions>;

/**
 * Creates a client interceptor that sends a new idempotency key with each unary call, unless the caller has set one or the method has no side
 * effects. The channel's retries and hedges of a call have the same key, so the server runs it once. A retry by the application is a new
 * call: there, the application must set the same key itself.
 *
 * @throws TypeError for an unknown option
 */
export function createIdempotencyKeys(options: IdempotencyKeysOptions = {}): Interceptor {
  const { header, makeKey } = readOptions("createIdempotencyKeys", idempotencyKeysOptions, options);
  return (next) => (request) => {
    const isSafe = request.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    if (!request.stream && !isSafe && !request.header.has(header)) request.header.set(header, makeKey());
    return next(request);
  };
}
