import { hkdfSync, randomBytes } from "node:crypto";
import type { RunConfig } from "./run-config.ts";

const keyBytes = 32;
/** Holds a secret that was made up, for the workers of one program. */
const madeUpVariable = "TERCEL_MADE_UP_SECRET";

/** Makes a secret up that every worker of this program finds, where development needs one: the workers inherit the environment. */
export function shareMadeUpSecret({ secret, environment }: Pick<RunConfig, "secret" | "environment">): void {
  if (secret !== undefined || environment.isProduction) return;
  process.env[madeUpVariable] ??= randomBytes(keyBytes).toString("base64");
}

/**
 * Derives keys for single purposes from the configured secret (HKDF, RFC 5869). In development a secret is made up for the process; elsewhere asking for a
 * key without a configured secret is an error.
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
          `a key for "${purpose}" needs security.secret, which is not set; only development makes one up (the environment is ${environment.name})`,
        );
      }
      root = randomBytes(keyBytes);
    }
    return new Uint8Array(hkdfSync("sha256", root, new Uint8Array(0), `tercel ${purpose}`, keyBytes));
  };
}

/**
 * The key that a service shows in development, where services that have `security.secret` in common know each other by their names. Undefined
 * outside of development and without a configured secret.
 */
export function developmentKey(
  { environment, secret }: Pick<RunConfig, "environment" | "secret">,
  service: string,
): string | undefined {
  if (environment.isProduction || secret === undefined) return undefined;
  return Buffer.from(createSecrets({ environment, secret })(`service key of ${service}`)).toString("hex");
}
