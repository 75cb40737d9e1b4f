import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { createHookedInterceptor, readHeader, setHeader } from "@tercel/grpc/hooks";
import { refuseUnknownOptions } from "@tercel/grpc/internal";
import { scopeRunner } from "../call/call-scope.ts";
import { currentRequestId, defaultRequestIdHeader, requestIdKey, setRequestIdHeader } from "../call/request-id.ts";
import { randomUuid } from "./random-uuid.ts";

export interface ClientRequestIdOptions {
  /** The metadata name that carries the id. Default `x-request-id`, which proxies know. */
  header?: string;
  /** Makes an id where there is none. Default: a random UUID. */
  makeId?: () => string;
}

export interface ServerRequestIdOptions extends ClientRequestIdOptions {
  /** Whether an id that the client sent is taken over. Default true; false where clients are strangers. */
  acceptIncoming?: boolean;
  /** Whether the client is told the id, in the response's headers or with the error. Default true. */
  sendBack?: boolean;
}

/**
 * What an id may look like that somebody else made: it goes to logs, headers and other services as it is. 128 characters hold two
 * UUIDs, or a trace and a span, with room to spare.
 */
const acceptable = /^[A-Za-z0-9._:/+=@~-]{1,128}$/;

/**
 * A server interceptor that gives each call an id: the one that the client sent, if it is fit to be logged, or a new one. Handlers
 * find it under `requestIdKey` among their context values, and anything they call by `currentRequestId()`.
 *
 * @throws TypeError for an unknown option or a header name that metadata cannot have
 */
export function createServerRequestId(options: ServerRequestIdOptions = {}): Interceptor {
  const where = "createServerRequestId";
  refuseUnknownOptions(where, options, ["header", "makeId", "acceptIncoming", "sendBack"]);
  const header = checkedHeader(where, options.header);
  const { makeId = randomUuid, acceptIncoming = true, sendBack = true } = options;
  // What is acceptable is, and so are our own.
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
  const where = "createClientRequestId";
  refuseUnknownOptions(where, options, ["header", "makeId"]);
  const header = checkedHeader(where, options.header);
  const { makeId = randomUuid } = options;
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

function checkedHeader(where: string, name: string = defaultRequestIdHeader): string {
  if (/^(?!grpc-)[a-z0-9_.-]+$/.test(name) && !name.endsWith("-bin")) return name;
  throw new TypeError(
    `${where}: header is ${JSON.stringify(name)}; it has to be in lower case, and text metadata may have`,
  );
}
