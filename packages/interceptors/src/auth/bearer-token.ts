import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { unauthenticated, unavailable } from "@tercel/grpc/errors";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { decodeJwt } from "jose";

/** A token, and until when it is good: milliseconds since 1970. */
export interface BearerToken {
  readonly token: string;
  /** Default: what a JWT says in `exp`; any other token is kept until it is refused. */
  readonly expiresAtMs?: number;
}

export type GetToken = () => Promise<string | BearerToken> | string | BearerToken;

export interface BearerTokenOptions {
  /** A token is replaced when less than this is left of it. Default 60 s. */
  refreshBeforeMs?: number;
  /** Sends the token without TLS, where whoever is on the way can read it. Default false. */
  allowCleartext?: boolean;
  /** For tests: milliseconds since 1970. Default `Date.now`. */
  wallClockMs?: () => number;
}

interface HeldToken {
  readonly header: string;
  readonly expiresAtMs: number;
}

/** RFC 6750 §2.1. */
const tokenForm = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * A client interceptor that sends `authorization: Bearer …`. The token is asked for once and used until it is nearly expired;
 * a unary call that is refused with UNAUTHENTICATED is sent once more, with a new one. Streams are not, since the server may
 * have had their messages. Calls that carry an `authorization` of their own keep it.
 *
 * Over cleartext calls fail with UNAUTHENTICATED, and when no token can be had with UNAVAILABLE, or with the ConnectError that
 * `getToken` throws.
 *
 * @throws TypeError or RangeError for an option that is wrong
 */
export function bearerToken(getToken: GetToken, options: BearerTokenOptions = {}): Interceptor {
  const where = "bearerToken";
  if (typeof getToken !== "function") throw new TypeError(`${where}: getToken has to be a function`);
  refuseUnknownOptions(where, options, ["refreshBeforeMs", "allowCleartext", "wallClockMs"]);
  checkWholeNumber(where, "refreshBeforeMs", options.refreshBeforeMs, 0, Number.MAX_SAFE_INTEGER);
  const { refreshBeforeMs = 60_000, allowCleartext = false, wallClockMs = Date.now } = options;
  let held: HeldToken | undefined;
  let asking: Promise<HeldToken> | undefined;

  /** All calls that need a token meanwhile share one request for it. */
  function ask(): Promise<HeldToken> {
    asking ??= takeToken(getToken).then(
      (taken) => {
        asking = undefined;
        held = taken;
        return taken;
      },
      (error) => {
        asking = undefined;
        // The old one is good for a little while yet.
        if (held !== undefined && held.expiresAtMs > wallClockMs()) return held;
        throw error;
      },
    );
    return asking;
  }

  function current(): HeldToken | Promise<HeldToken> {
    return held !== undefined && held.expiresAtMs - wallClockMs() > refreshBeforeMs ? held : ask();
  }

  return (next) => async (request) => {
    if (request.header.has("authorization")) return next(request);
    if (!allowCleartext && !request.url.startsWith("https:")) {
      throw unauthenticated("a token must not be sent without TLS; allowCleartext permits it");
    }
    const token = await current();
    request.header.set("authorization", token.header);
    if (request.stream) return next(request);
    try {
      return await next(request);
    } catch (error) {
      if (!(error instanceof ConnectError) || error.code !== Code.Unauthenticated) throw error;
      // Another call may have replaced it already.
      if (held === token) held = undefined;
      const fresh = await current();
      if (fresh.header === token.header) throw error;
      request.header.set("authorization", fresh.header);
      return next(request);
    }
  };
}

async function takeToken(getToken: GetToken): Promise<HeldToken> {
  let given: string | BearerToken;
  try {
    given = await getToken();
  } catch (cause) {
    if (cause instanceof ConnectError) throw cause;
    throw unavailable({ message: "no token could be had for the call", cause });
  }
  const { token, expiresAtMs } = typeof given === "string" ? { token: given, expiresAtMs: undefined } : given;
  if (typeof token !== "string" || !tokenForm.test(token)) {
    throw unauthenticated("what getToken returned is not a token (RFC 6750)");
  }
  return { header: `Bearer ${token}`, expiresAtMs: expiresAtMs ?? expiryOf(token) };
}

function expiryOf(token: string): number {
  try {
    const { exp } = decodeJwt(token);
    return exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
