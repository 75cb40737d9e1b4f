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

/** Longest lifetime of a development token: a week. */
const maxMinutes = 10_080;

/** `tercel token` */
export async function printToken(options: TokenOptions, context: CommandContext): Promise<void> {
  const minutes = /^\d{1,5}$/.test(options.minutes) ? Number(options.minutes) : 0;
  if (minutes < 1 || minutes > maxMinutes) {
    throw usageFailure(
      `invalid --minutes ${JSON.stringify(options.minutes)}: expected a whole number from 1 to ${maxMinutes}`,
    );
  }
  const { key, ...defaults } = await signingFor(options, context);
  await context.stdout.line(signToken({ ...options, ...defaults, minutes }, key));
}

/** Returns the key in the named file, else that of the services which `tercel dev` runs in this folder. */
async function signingFor(
  { keyFile, keyId, issuer, audience }: TokenOptions,
  context: CommandContext,
): Promise<Pick<TokenClaims, "keyId" | "issuer" | "audience"> & { readonly key: SigningKey }> {
  const file = keyFile ?? context.env.TERCEL_TOKEN_KEY_FILE;
  const given = { issuer: issuer ?? defaultIssuer, audience, ...(keyId !== undefined && { keyId }) };
  if (file !== undefined) {
    return { ...given, key: parseSigningKey(readOptionFile("--key-file", file, context.cwd), file) };
  }
  // Loaded on demand: signing with a file does not need the kit's configuration.
  const { signingInFolder } = await import("../dev/development-signing.ts");
  const signing = await signingInFolder(context);
  if (signing === undefined) {
    throw usageFailure(
      "missing signing key: use --key-file FILE",
      "openssl rand -base64 32 > dev.key creates a key; in a folder of services, the default is the key of tercel dev",
    );
  }
  return {
    keyId: keyId ?? signing.keyId,
    issuer: issuer ?? signing.issuer,
    audience: audience.length > 0 ? audience : signing.audience,
    key: sharedSecret(signing.secret),
  };
}
