import type { Command } from "commander";
import type { CommandContext } from "../frame/context.ts";
import { collect } from "../target/target-options.ts";
import type { TokenOptions } from "../token/make-token.ts";

export function addTokenCommand(program: Command, context: CommandContext): void {
  program
    .command("token")
    .summary("sign a token for development")
    .description(
      "Prints a JSON Web Token (RFC 7519) for services that verify tokens with @tercel/interceptors/auth. It is signed with the key in a file or, in the folder of the services of tercel dev, with their key. In production, an issuer signs tokens.",
    )
    .option(
      "--key-file <file>",
      "private key as PEM (RSA, EC or Ed25519), or a secret of 32 bytes or more as base64 (default: $TERCEL_TOKEN_KEY_FILE, else the key of tercel dev)",
    )
    .option("--key-id <id>", "ID by which the service knows the key (kid)")
    .option("--subject <subject>", "caller identity: the ID of a user, or any name", "developer")
    .option("--role <role>", "role of the caller (repeatable)", collect, [])
    .option("--scope <scope>", "scope of the token (repeatable)", collect, [])
    .option("--issuer <issuer>", "issuer that the service expects (default: tercel-development)")
    .option(
      "--audience <audience>",
      "audience of the token (repeatable; default without a key file: all services of the folder)",
      collect,
      [],
    )
    .option("--minutes <minutes>", "lifetime in minutes, 1 to 10080", "60")
    .addHelpText(
      "after",
      `
Example:
  TOKEN=$(tercel token --key-file dev.key --role admin) tercel call users.v1.UserService/ListUsers -H 'authorization: Bearer \${TOKEN}'`,
    )
    .action(async (options: TokenOptions) => {
      const { printToken } = await import("../token/make-token.ts");
      await printToken(options, context);
    });
}
