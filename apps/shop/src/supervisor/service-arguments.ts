import { nearestName } from "@tercel/grpc/internal";
import { type ServiceName, serviceNames } from "./development-secret.ts";

/** What the command line of the shop asked for. */
export type ShopRequest =
  | { readonly kind: "run"; readonly argumentsOf: (service: ServiceName) => readonly string[] }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "refused"; readonly problem: string };

const help = `The shop: user-service, order-service, payment-service and notification-service.

  --set KEY=VALUE           sets a key of every service's config.yaml: --set rate_limit.enabled=false
  --set SERVICE.KEY=VALUE   of one service's: --set user-service.service.port=7001

Variables such as TERCEL__RATE_LIMIT__ENABLED=false do the same for all. SHOP_DATA is the folder of the databases; default data/shop.`;

/** Hands each `--set` to the services that it is for. */
export function readShopArguments(args: readonly string[]): ShopRequest {
  const assignments: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--help" || arg === "-h") return { kind: "help", text: help };
    const [, inline] = /^--set=(.*)$/s.exec(arg) ?? [];
    const value = inline ?? (arg === "--set" ? args[++at] : undefined);
    if (value === undefined) return { kind: "refused", problem: problemOf(arg) };
    if (!value.includes("=")) return { kind: "refused", problem: `--set ${value}: it is KEY=VALUE` };
    assignments.push(value);
  }
  return {
    kind: "run",
    argumentsOf: (service) =>
      assignments.flatMap((assignment) => {
        const owner = serviceNames.find((name) => assignment.startsWith(`${name}.`));
        if (owner !== undefined && owner !== service) return [];
        return ["--set", owner === undefined ? assignment : assignment.slice(owner.length + 1)];
      }),
  };
}

function problemOf(arg: string): string {
  if (arg === "--set") return "--set needs KEY=VALUE";
  const nearest = nearestName(arg, ["--set", "--help"]);
  return `unknown argument ${JSON.stringify(arg)}; ${nearest === undefined ? "see --help" : `did you mean ${nearest}?`}`;
}
