import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { createHookedInterceptor, readHeader, setHeader } from "@tercel/grpc/hooks";
import { scopeRunner } from "../call/call-scope.ts";
import { callback, flag, headerOption, type OptionsOf, readOptions } from "../call/options.ts";
import { currentRequestId, defaultRequestIdHeader, requestIdKey, setRequestIdHeader } from "../call/request-id.ts";
import { randomUuid } from "./random-uuid.ts";

export const clientRequestIdOptions = {
  /** The metadata name that carries the id. Default `x-request-id`, which proxies know. */
  header: headerOption().or(defaultRequestIdHeader),
  /** Makes an id where there is none. Default: a random UUID. */
  makeId: callback<() => string>().or(randomUuid),
};

export type ClientRequestIdOptions = OptionsOf<typeof clientRequestIdOptions>;

export const serverRequestIdOptions = {
  ...clientRequestIdOptions,
  /** Whether an id that the client sent is used. Default true; false where clients are strangers. */
  acceptIncoming: flag().or(true),
  /** Whether the client gets the id, in the response's headers or with the error. Default true. */
  sendBack: flag().or(true),
};

export type ServerRequestIdOptions = OptionsOf<typeof serverRequestIdOptions>;

/**
 * What an id from outside may look like: it goes to logs, headers and other services unchanged. 128 characters hold two UUIDs, or a trace
 * and a span, with room to spare.
 */
const acceptable = /^[A-Za-z0-9._:/+=@~-]{1,128}$/;

/**
 * A server interceptor that gives each call an id: the one that the client sent, if it is fit to be logged, or a new one. Handlers
 * find it under `requestIdKey` among their context values, and anything they call by `currentRequestId()`.
 *
 * @throws TypeError for an unknown option or a header name that metadata cannot have
 */
export function createServerRequestId(options: ServerRequestIdOptions = {}): Interceptor {
  const settings = readOptions("createServerRequestId", serverRequestIdOptions, options);
  const { header, makeId, acceptIncoming, sendBack } = settings;
  // Acceptable ids are fit to be a header's value, and so are those that are made here.
  const isFit = makeId === randomUuid;
  return createHookedInterceptor<string>({
    begin(request) {
      const incoming = acceptIncoming ? readHeader(request, header) : null;
      const id = incoming !== null && acceptable.test(incoming) ? incoming : makeId();
      request.contextValues.set(requestIdKey, id);
      setRequestIdHeader("server", request, header);
      return id;
    },
    runner: scopeRunner,
    ...(sendBack && {
      onHead: (request, id, response) => setHeader(request, response, header, id, isFit),
      onError: (_request, id, error) => (error instanceof ConnectError ? withMetadata(error, header, id) : error),
    }),
  });
}

/**
 * A client interceptor that sends an id with each call: the one the caller set as a header or among the context values, else that of
 * the request being handled, else a new one.
 *
 * @throws TypeError for an unknown option or a header name that metadata cannot have
 */
export function createClientRequestId(options: ClientRequestIdOptions = {}): Interceptor {
  const { header, makeId } = readOptions("createClientRequestId", clientRequestIdOptions, options);
  return (next) => (request) => {
    setRequestIdHeader("client", request, header);
    // The id is not put among the context values: a caller may use the same ones for its next call.
    if (request.header.get(header) === null) {
      request.header.set(header, request.contextValues.get(requestIdKey) ?? currentRequestId() ?? makeId());
    }
    return next(request);
  };
}

/** A copy, because a handler may throw one error object for many calls. */
function withMetadata(error: ConnectError, name: string, value: string): ConnectError {
  const { rawMessage, code, metadata, details, cause, stack } = error;
  // Outgoing details are what the constructor takes, incoming ones what it had made of them: both are sent on as they are.
  const copy = new ConnectError(rawMessage, code, metadata, undefined, cause);
  copy.details = details;
  copy.metadata.set(name, value);
  if (stack !== undefined) copy.stack = stack;
  return copy;
}
