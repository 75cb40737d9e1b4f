import type { RunConfig, TokenIssuer } from "../run-config/run-config.ts";

/** Issuer of development tokens, which is not trusted outside of development. */
export const developmentIssuer = "tercel-development";
/** Purpose from which the key of development tokens is derived. */
export const developmentTokenPurpose = "development tokens";

/**
 * Returns the accepted issuer: the configured one, or in development the service itself. Undefined if neither the configuration nor the code nor a proto
 * requires tokens.
 *
 * @throws Error when access rules have no issuer outside of development
 */
export function trustedTokens(
  { tokens, environment, service }: RunConfig,
  hasRules: boolean,
  secret: (purpose: string) => Uint8Array,
): TokenIssuer | undefined {
  if (tokens !== undefined || !hasRules) return tokens;
  if (environment.isProduction) {
    throw new Error(
      `access rules need a token issuer, but none is configured (environment ${environment.name}); set security.jwt.jwks_url, security.jwt.issuer and security.jwt.audience`,
    );
  }
  return {
    issuer: developmentIssuer,
    audience: service.name,
    keys: [{ id: "development", algorithm: "HS256", secret: secret(developmentTokenPurpose) }],
  };
}
