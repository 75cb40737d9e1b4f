import type { ServiceConfig } from "@tercel/service";
import { createSecrets, developmentIssuer, developmentTokenPurpose } from "@tercel/service/internal";
import { signToken } from "../token/sign-token.ts";
import { sharedSecret } from "../token/signing-key.ts";

/** A day of work. */
const minutes = 12 * 60;

/**
 * Signs a token of an admin that a service accepts in development: with the shared key of its configuration, else with the one that it derives from
 * the secret. Undefined where an issuer publishes the keys.
 */
export function developmentToken(config: ServiceConfig<unknown>, secret: string): string | undefined {
  const { security, service } = config;
  const jwt = security.jwt?.enabled === true ? security.jwt : undefined;
  const claims = { subject: "developer", role: ["admin"], scope: [], minutes };
  if (jwt === undefined) {
    const secrets = createSecrets({
      secret: security.secret ?? secret,
      environment: { name: "development", isProduction: false },
    });
    const key = sharedSecret(secrets(developmentTokenPurpose));
    return signToken({ ...claims, keyId: "development", issuer: developmentIssuer, audience: [service.name] }, key);
  }
  if (jwt.secret === undefined) return undefined;
  const audience = [jwt.audience ?? service.name];
  return signToken(
    { ...claims, keyId: "configured", issuer: jwt.issuer, audience },
    sharedSecret(Buffer.from(jwt.secret, "utf8")),
  );
}
