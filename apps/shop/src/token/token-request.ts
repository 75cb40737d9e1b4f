import { readSettings, type SettingsRequest } from "../config/read-settings.ts";
import type { Settings } from "../config/settings.ts";
import { type TokenRole, tokenRoles } from "../service/development-tokens.ts";

/** What the command line asked for: a token, the help, or something that cannot be. */
export type TokenRequest =
  | {
      readonly kind: "token";
      readonly subject: string;
      readonly role: TokenRole;
      readonly lifeMinutes: number;
      readonly settings: Settings;
    }
  | Exclude<SettingsRequest, { readonly kind: "run" }>;

const help = `Prints a token for the shop in development. Its own flags:
  --subject  who calls: the id of a user, or any name (default developer)
  --role     ${tokenRoles.join(", ")} (default user)
  --minutes  how long it counts, 1 to 10080 (default 60)`;

/**
 * Takes the flags of the token command out of a command line; the rest are settings of the shop, which say where its secret is.
 */
export function readTokenRequest(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  workingDir: string,
): TokenRequest {
  const own: Record<"subject" | "role" | "minutes", string> = { subject: "developer", role: "user", minutes: "60" };
  const rest: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    const [, flag, inline] = /^--(subject|role|minutes)(?:=(.*))?$/s.exec(arg) ?? [];
    if (flag === undefined) {
      rest.push(arg);
      continue;
    }
    const value = inline ?? args[++index] ?? "";
    if (value === "" || value.startsWith("--")) return refused(`--${flag} needs a value`);
    own[flag as keyof typeof own] = value;
  }
  const role = tokenRoles.find((one) => one === own.role);
  if (role === undefined)
    return refused(`--role must be one of ${tokenRoles.join(", ")}, not ${JSON.stringify(own.role)}`);
  const lifeMinutes = /^[0-9]{1,5}$/.test(own.minutes) ? Number(own.minutes) : 0;
  if (lifeMinutes < 1 || lifeMinutes > 10_080) {
    return refused(`--minutes must be a whole number from 1 to 10080, not ${JSON.stringify(own.minutes)}`);
  }
  const request = readSettings(rest, environment, workingDir);
  if (request.kind === "help") return { kind: "help", text: `${help}\n\n${request.text}` };
  if (request.kind === "refused") return request;
  const { settings } = request;
  if (settings.jwksUrl !== "") return refused("tokens come from the issuer whose keys --jwks-url names");
  return { kind: "token", subject: own.subject, role, lifeMinutes, settings };
}

function refused(problem: string): TokenRequest {
  return { kind: "refused", problem };
}
