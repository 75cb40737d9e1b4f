import type { RunConfig, TokenIssuer } from "../run-config/run-config.ts";

/** Who issues the tokens that development accepts. No one is trusted under this name elsewhere. */
export const developmentIssuer = "tercel-development";
/** What the key of development tokens is derived for. */
export const developmentTokenPurpose = "development tokens";

/**
 * Whose tokens are accepted: the configured issuer's, or in development those that are signed with a key of the service's own. Undefined where neither
 * the configuration nor the code nor a proto asks for tokens.
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
      `the service has access rules, but no issuer of tokens is configured (the environment is ${environment.name}); set security.jwt.jwks_url, security.jwt.issuer and security.jwt.audience`,
    );
  }
  return {
    issuer: developmentIssuer,
    audience: service.name,
    keys: [{ id: "development", algorithm: "HS256", secret: secret(developmentTokenPurpose) }],
  };
}
