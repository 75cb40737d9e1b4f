import type { Command } from "commander";
import type { CommandContext } from "../frame/context.ts";
import { collect } from "../target/target-options.ts";
import type { TokenOptions } from "../token/make-token.ts";

export function addTokenCommand(program: Command, context: CommandContext): void {
  program
    .command("token")
    .summary("sign a token for trying a service")
    .description(
      "Prints a JSON Web Token (RFC 7519) for services that check tokens with @tercel/interceptors/auth: signed with the key of a file, or in the folder of services as tercel dev runs them, for all of them. In production an issuer makes tokens.",
    )
    .option(
      "--key-file <file>",
      "private key as PEM (RSA, EC or Ed25519), or a secret of 32 bytes or more as base64 (default: $TERCEL_TOKEN_KEY_FILE, else the key of tercel dev)",
    )
    .option("--key-id <id>", "kid that the service knows the key by")
    .option("--subject <subject>", "who calls: the id of a user, or any name", "developer")
    .option("--role <role>", "role of the caller (repeatable)", collect, [])
    .option("--scope <scope>", "scope of the token (repeatable)", collect, [])
    .option("--issuer <issuer>", "who made it, as the service expects it (default: tercel-development)")
    .option(
      "--audience <audience>",
      "whom it is for (repeatable; default without a file: all services of the folder)",
      collect,
      [],
    )
    .option("--minutes <minutes>", "how long it counts, 1 to 10080", "60")
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
