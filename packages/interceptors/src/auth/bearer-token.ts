import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { systemClock } from "@tercel/grpc";
import { unauthenticated, unavailable } from "@tercel/grpc/errors";
import { callback, flag, type OptionsOf, readOptions, wallClockOption, wholeNumber } from "../call/options.ts";
import { Refreshed } from "../call/refreshed.ts";

/** A token, and when it expires: milliseconds since 1970. */
export interface BearerToken {
  readonly token: string;
  /** Default: what a JWT says in `exp`; any other token is kept until it is refused. */
  readonly expiresAtMs?: number;
}

export type GetToken = () => Promise<string | BearerToken> | string | BearerToken;

export const bearerTokenOptions = {
  /** Returns a token, and may take its time. Called when one is needed, once for all calls that wait. Required. */
  getToken: callback<GetToken>().required(),
  /** A token is replaced when less than this is left of it. Default 60,000 ms. */
  refreshBeforeMs: wholeNumber(0).or(60_000),
  /** Sends the token without TLS, where anyone on the way can read it. Default false. */
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
 * A client interceptor that sends `authorization: Bearer …`. The token is obtained once and used until it is nearly expired;
 * a unary call that is refused with UNAUTHENTICATED is sent once more, with a new one. Streams are not, since the server may
 * have received their messages. Calls that carry an `authorization` of their own keep it.
 *
 * Over cleartext calls fail with UNAUTHENTICATED, and when no token can be obtained with UNAVAILABLE, or with the ConnectError that
 * `getToken` throws.
 *
 * @throws TypeError or RangeError for an option that is wrong
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
      throw unauthenticated("a token must not be sent without TLS; allowCleartext permits it");
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
    throw unauthenticated("what getToken returned is not a token (RFC 6750)");
  }
  return { header: `Bearer ${token}`, expiresAtMs: expiresAtMs ?? expiryOf(token) };
}

/** What a JWT says in `exp` (RFC 7519 §4.1.4), unverified: only the server it is for can verify it. Any other token has no known end. */
function expiryOf(token: string): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    const exp = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : undefined;
    return typeof exp === "number" ? exp * 1000 : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
