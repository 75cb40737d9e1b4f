import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** The claims of a verified token (RFC 7519 §4.1), including those that only its issuer defines. */
export interface Claims {
  readonly sub?: string;
  readonly iss?: string;
  readonly aud?: string | readonly string[];
  /** Seconds since 1970. Always set: tokens without an expiry are rejected. */
  readonly exp: number;
  readonly [claim: string]: unknown;
}

/** The context key of the caller's claims, for interceptors and handlers of a server. Undefined if no token was required. */
export const claimsKey: ContextKey<Claims | undefined> = createContextKey<Claims | undefined>(undefined, {
  description: "claims",
});
