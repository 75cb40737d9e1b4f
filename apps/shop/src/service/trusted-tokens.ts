import type { AuthOptions } from "@tercel/interceptors/auth";
import type { Settings } from "../config/settings.ts";
import { developmentIssuer, developmentKey } from "./development-tokens.ts";
import type { ServiceSecret } from "./service-secret.ts";

/**
 * Whose tokens count: those of the issuer, or without one, in development, the shop's own.
 *
 * @param audience What they have to say in `aud`.
 * @param openSecret Asked only if the shop's own count.
 */
export function trustedTokens(
  { jwksUrl, tokenIssuer, reflection }: Settings,
  audience: string,
  openSecret: () => ServiceSecret,
): Omit<AuthOptions, "services"> {
  const keys: Pick<AuthOptions, "issuer" | "keys" | "jwks"> =
    jwksUrl === ""
      ? { issuer: developmentIssuer, keys: [developmentKey(openSecret())] }
      : { issuer: tokenIssuer, jwks: { url: jwksUrl, algorithms: ["RS256", "ES256", "EdDSA"] } };
  return { ...keys, audience, publicReflection: reflection, endStreamsAtExpiry: true };
}
