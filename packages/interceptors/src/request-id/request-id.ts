import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { createHookedInterceptor, readHeader, setHeader } from "@tercel/grpc/hooks";
import { scopeRunner } from "../call/call-scope.ts";
import { callback, flag, headerOption, type OptionsOf, readOptions } from "../call/options.ts";
import { currentRequestId, defaultRequestIdHeader, requestIdKey, setRequestIdHeader } from "../call/request-id.ts";
import { randomUuid } from "./random-uuid.ts";

export const clientRequestIdOptions = {
  /** The name of the metadata with the id. Default `x-request-id`, which proxies also use. */
  header: headerOption().or(defaultRequestIdHeader),
  /** Returns a new id for a call without one. Default: a random UUID. */
  makeId: callback<() => string>().or(randomUuid),
};

export type ClientRequestIdOptions = OptionsOf<typeof clientRequestIdOptions>;

export const serverRequestIdOptions = {
  ...clientRequestIdOptions,
  /** Whether to use the id of the client. Default true. Set false if the clients are not trusted. */
  acceptIncoming: flag().or(true),
  /** Whether to send the id to the client, in the response headers or with the error. Default true. */
  sendBack: flag().or(true),
};

export type ServerRequestIdOptions = OptionsOf<typeof serverRequestIdOptions>;

/**
 * The form of an acceptable id from a client, which is written to logs, headers and other services unchanged. 128 characters are enough for two
 * UUIDs, or a trace id and a span id.
 */
const acceptable = /^[A-Za-z0-9._:/+=@~-]{1,128}$/;

/**
 * Creates a server interceptor that gives each call a request id: the client's, if it has an acceptable form, or a new one. Handlers get it with
 * `requestIdKey` from their context values, and all code that they call with `currentRequestId()`.
 *
 * @throws TypeError for an unknown option or an invalid header name
 */
export function createServerRequestId(options: ServerRequestIdOptions = {}): Interceptor {
  const settings = readOptions("createServerRequestId", serverRequestIdOptions, options);
  const { header, makeId, acceptIncoming, sendBack } = settings;
  // Acceptable ids, and the UUIDs created here, are valid header values.
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
 * Creates a client interceptor that sends a request id with each call: the id in the call's header or context values, or that of the current
 * request, or a new one.
 *
 * @throws TypeError for an unknown option or an invalid header name
 */
export function createClientRequestId(options: ClientRequestIdOptions = {}): Interceptor {
  const { header, makeId } = readOptions("createClientRequestId", clientRequestIdOptions, options);
  return (next) => (request) => {
    setRequestIdHeader("client", request, header);
    // The context values are not changed, because a caller may reuse them for its next call.
    if (request.header.get(header) === null) {
      request.header.set(header, request.contextValues.get(requestIdKey) ?? currentRequestId() ?? makeId());
    }
    return next(request);
  };
}

/** Returns a copy of the error with the metadata, because a handler may throw the same object for many calls. */
function withMetadata(error: ConnectError, name: string, value: string): ConnectError {
  const { rawMessage, code, metadata, details, cause, stack } = error;
  // Details may be outgoing or incoming ones. Both forms are copied unchanged.
  const copy = new ConnectError(rawMessage, code, metadata, undefined, cause);
  copy.details = details;
  copy.metadata.set(name, value);
  if (stack !== undefined) copy.stack = stack;
  return copy;
}
