import type { ServiceConfig } from "@tercel/service";
import { signToken } from "../token/sign-token.ts";
import { sharedSecret } from "../token/signing-key.ts";
import { developmentSigning } from "./development-signing.ts";

/** Lifetime of a token: a working day. */
const minutes = 12 * 60;

/** Signs an admin's token that a service accepts in development. Returns undefined if an issuer publishes the keys. */
export function developmentToken(config: ServiceConfig<unknown>, secret: string): string | undefined {
  const signing = developmentSigning(config, secret);
  if (signing === undefined) return undefined;
  const { keyId, issuer, audience } = signing;
  return signToken(
    { subject: "developer", role: ["admin"], scope: [], minutes, keyId, issuer, audience: [audience] },
    sharedSecret(signing.secret),
  );
}
