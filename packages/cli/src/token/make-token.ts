import type { CommandContext } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";
import { readOptionFile } from "../frame/option-file.ts";
import { signToken, type TokenClaims } from "./sign-token.ts";
import { parseSigningKey } from "./signing-key.ts";

/** The options of the command line, as commander names them. */
export interface TokenOptions extends Omit<TokenClaims, "minutes"> {
  readonly keyFile?: string;
  readonly minutes: string;
}

/** A week: what counts longer is no token for trying something. */
const maxMinutes = 10_080;

/** `tercel token` */
export async function printToken(options: TokenOptions, context: CommandContext): Promise<void> {
  const file = options.keyFile ?? context.env.TERCEL_TOKEN_KEY_FILE;
  if (file === undefined) {
    throw usageFailure(
      "no key was given to sign with: --key-file FILE",
      "openssl rand -base64 32 > dev.key makes a secret",
    );
  }
  const minutes = /^\d{1,5}$/.test(options.minutes) ? Number(options.minutes) : 0;
  if (minutes < 1 || minutes > maxMinutes) {
    throw usageFailure(
      `invalid --minutes ${JSON.stringify(options.minutes)}: write a whole number from 1 to ${maxMinutes}`,
    );
  }
  const key = parseSigningKey(readOptionFile("--key-file", file, context.cwd), file);
  await context.stdout.line(signToken({ ...options, minutes }, key));
}
