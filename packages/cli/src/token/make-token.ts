import type { CommandContext } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";
import { readOptionFile } from "../frame/option-file.ts";
import { signToken, type TokenClaims } from "./sign-token.ts";
import { parseSigningKey, type SigningKey, sharedSecret } from "./signing-key.ts";

/** The options of the command line, as commander names them. */
export interface TokenOptions extends Omit<TokenClaims, "minutes" | "issuer"> {
  readonly keyFile?: string;
  readonly minutes: string;
  readonly issuer?: string;
}

const defaultIssuer = "tercel-development";

/** A week: what counts longer is no token for trying something. */
const maxMinutes = 10_080;

/** `tercel token` */
export async function printToken(options: TokenOptions, context: CommandContext): Promise<void> {
  const minutes = /^\d{1,5}$/.test(options.minutes) ? Number(options.minutes) : 0;
  if (minutes < 1 || minutes > maxMinutes) {
    throw usageFailure(
      `invalid --minutes ${JSON.stringify(options.minutes)}: write a whole number from 1 to ${maxMinutes}`,
    );
  }
  const { key, ...defaults } = await signingFor(options, context);
  await context.stdout.line(signToken({ ...options, ...defaults, minutes }, key));
}

/** The key of the file that was named, else the one by which `tercel dev` runs the services of this folder. */
async function signingFor(
  { keyFile, keyId, issuer, audience }: TokenOptions,
  context: CommandContext,
): Promise<Pick<TokenClaims, "keyId" | "issuer" | "audience"> & { readonly key: SigningKey }> {
  const file = keyFile ?? context.env.TERCEL_TOKEN_KEY_FILE;
  const given = { issuer: issuer ?? defaultIssuer, audience, ...(keyId !== undefined && { keyId }) };
  if (file !== undefined) {
    return { ...given, key: parseSigningKey(readOptionFile("--key-file", file, context.cwd), file) };
  }
  // It loads the kit's configuration, which signing with a file does without.
  const { signingInFolder } = await import("../dev/development-signing.ts");
  const signing = await signingInFolder(context);
  if (signing === undefined) {
    throw usageFailure(
      "no key was given to sign with: --key-file FILE",
      "openssl rand -base64 32 > dev.key makes a secret; in the folder of a service, or of several, it is that of tercel dev",
    );
  }
  return {
    keyId: keyId ?? signing.keyId,
    issuer: issuer ?? signing.issuer,
    audience: audience.length > 0 ? audience : signing.audience,
    key: sharedSecret(signing.secret),
  };
}
