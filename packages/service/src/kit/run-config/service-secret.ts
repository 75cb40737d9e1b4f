import { hkdfSync, randomBytes } from "node:crypto";
import type { RunConfig } from "./run-config.ts";

const keyBytes = 32;
/** Variable that shares a generated secret with the workers. */
const madeUpVariable = "TERCEL_MADE_UP_SECRET";

/** Generates a secret in development and shares it with the workers, which inherit the environment. */
export function shareMadeUpSecret({ secret, environment }: Pick<RunConfig, "secret" | "environment">): void {
  if (secret !== undefined || environment.isProduction) return;
  process.env[madeUpVariable] ??= randomBytes(keyBytes).toString("base64");
}

/**
 * Creates the function that derives keys from the configured secret (HKDF, RFC 5869). In development a secret is generated; elsewhere a key without a
 * configured secret is an error.
 */
export function createSecrets({
  secret,
  environment,
}: Pick<RunConfig, "secret" | "environment">): (purpose: string) => Uint8Array {
  const given = secret ?? (environment.isProduction ? undefined : process.env[madeUpVariable]);
  let root: Uint8Array | undefined = given === undefined ? undefined : Buffer.from(given, "utf8");
  return (purpose) => {
    if (root === undefined) {
      if (environment.isProduction) {
        throw new Error(
          `security.secret is not set; it is needed to derive a key for "${purpose}" (generated only in development; the environment is ${environment.name})`,
        );
      }
      root = randomBytes(keyBytes);
    }
    return new Uint8Array(hkdfSync("sha256", root, new Uint8Array(0), `tercel ${purpose}`, keyBytes));
  };
}

/**
 * Returns the key that a service sends in development, derived from `security.secret` and its name. Undefined outside of development and without a
 * configured secret.
 */
export function developmentKey(
  { environment, secret }: Pick<RunConfig, "environment" | "secret">,
  service: string,
): string | undefined {
  if (environment.isProduction || secret === undefined) return undefined;
  return Buffer.from(createSecrets({ environment, secret })(`service key of ${service}`)).toString("hex");
}
