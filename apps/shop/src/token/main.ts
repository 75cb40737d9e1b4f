import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { openDevelopmentSecret, tokenRoles } from "../supervisor/development-secret.ts";

const help = `Prints a token for the shop in development.
  --subject  who calls: the id of a user, or any name (default developer)
  --role     ${tokenRoles.join(", ")} (default user)
  --minutes  how long it counts, 1 to 10080 (default 60)
SHOP_DATA is the folder of the databases, where the secret is; default data/shop.`;

try {
  process.stdout.write(`${await printed(process.argv.slice(2))}\n`);
} catch (error) {
  process.stderr.write(`No token: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

async function printed(args: string[]): Promise<string> {
  const option = (fallback: string) => ({ type: "string", default: fallback }) as const;
  const options = {
    subject: option("developer"),
    role: option("user"),
    minutes: option("60"),
    help: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ args, options });
  if (values.help === true) return help;
  const role = tokenRoles.find((one) => one === values.role);
  if (role === undefined)
    throw new Error(`--role must be one of ${tokenRoles.join(", ")}, not ${JSON.stringify(values.role)}`);
  const minutes = /^[0-9]{1,5}$/.test(values.minutes) ? Number(values.minutes) : 0;
  if (minutes < 1 || minutes > 10_080) {
    throw new Error(`--minutes must be a whole number from 1 to 10080, not ${JSON.stringify(values.minutes)}`);
  }
  const secret = openDevelopmentSecret(resolve(process.env.SHOP_DATA || "data/shop"));
  return secret.signToken({ subject: values.subject, role, minutes });
}
