import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { systemClock } from "@tercel/grpc";
import { unauthenticated, unavailable } from "@tercel/grpc/errors";
import { callback, flag, type OptionsOf, readOptions, wallClockOption, wholeNumber } from "../call/options.ts";
import { Refreshed } from "../call/refreshed.ts";

/** A token and its expiry. */
export interface BearerToken {
  readonly token: string;
  /** Milliseconds since 1970. Default: `exp` of a JWT; another token is used until a server rejects it. */
  readonly expiresAtMs?: number;
}

export type GetToken = () => Promise<string | BearerToken> | string | BearerToken;

export const bearerTokenOptions = {
  /** Returns a token, or a promise of one. Called when a token is needed, once for all waiting calls. Required. */
  getToken: callback<GetToken>().required(),
  /** Replaces a token this long before it expires. Default 60,000 ms. */
  refreshBeforeMs: wholeNumber(0).or(60_000),
  /** Whether to send the token without TLS, where others can read it. Default false. */
  allowCleartext: flag().or(false),
  /** For tests: milliseconds since 1970. Default `Date.now`. */
  wallClockMs: wallClockOption(),
};

export type BearerTokenOptions = OptionsOf<typeof bearerTokenOptions>;

interface HeldToken {
  readonly header: string;
  readonly expiresAtMs: number;
}

/** RFC 6750 §2.1. */
const tokenForm = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * Creates a client interceptor that sends `authorization: Bearer …`. A token is used until shortly before it expires. A unary call that fails
 * with UNAUTHENTICATED is sent once more with a new token. Streams are not, because the server may have received their messages. Calls
 * that already have `authorization` keep it.
 *
 * Calls without TLS fail with UNAUTHENTICATED. If no token can be obtained, calls fail with UNAVAILABLE, or with the ConnectError that
 * `getToken` throws.
 *
 * @throws TypeError or RangeError for an invalid option
 */
export function createBearerToken(options: BearerTokenOptions): Interceptor {
  const settings = readOptions("createBearerToken", bearerTokenOptions, options);
  const { getToken, refreshBeforeMs, allowCleartext, wallClockMs } = settings;
  const tokens = new Refreshed<HeldToken>(() => takeToken(getToken), {
    clock: systemClock,
    isStale: ({ expiresAtMs }) => expiresAtMs - wallClockMs() <= refreshBeforeMs,
    waits: true,
    isUsable: ({ expiresAtMs }) => expiresAtMs > wallClockMs(),
  });

  return (next) => async (request) => {
    if (request.header.has("authorization")) return next(request);
    if (!allowCleartext && !request.url.startsWith("https:")) {
      throw unauthenticated("a token must not be sent without TLS; set allowCleartext to permit it");
    }
    const token = await tokens.current();
    request.header.set("authorization", token.header);
    if (request.stream) return next(request);
    try {
      return await next(request);
    } catch (error) {
      if (!(error instanceof ConnectError) || error.code !== Code.Unauthenticated) throw error;
      tokens.discard(token);
      const fresh = await tokens.current();
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
    throw unavailable({ message: "no token could be obtained for the call", cause });
  }
  const { token, expiresAtMs } = typeof given === "string" ? { token: given, expiresAtMs: undefined } : given;
  if (typeof token !== "string" || !tokenForm.test(token)) {
    throw unauthenticated("getToken returned an invalid token (RFC 6750)");
  }
  return { header: `Bearer ${token}`, expiresAtMs: expiresAtMs ?? expiryOf(token) };
}

/** Returns `exp` of a JWT (RFC 7519 §4.1.4) without verification, which only the server can do. Other tokens have no known expiry. */
function expiryOf(token: string): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    const exp = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : undefined;
    return typeof exp === "number" ? exp * 1000 : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
