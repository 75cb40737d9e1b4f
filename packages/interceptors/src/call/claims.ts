import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** What a verified token says (RFC 7519 §4.1), with whatever else its issuer puts there. */
export interface Claims {
  readonly sub?: string;
  readonly iss?: string;
  readonly aud?: string | readonly string[];
  /** Seconds since 1970. Always there: tokens that never expire are refused. */
  readonly exp: number;
  readonly [claim: string]: unknown;
}

/** The caller's claims among the context values of a server's interceptors and handlers; undefined where no token was required. */
export const claimsKey: ContextKey<Claims | undefined> = createContextKey<Claims | undefined>(undefined, {
  description: "claims",
});
