import { fileURLToPath } from "node:url";
import { onStopSignals } from "@tercel/service";
import { readSettings, settingsToArgs } from "./config/read-settings.ts";
import { joinHostPort, type Settings } from "./config/settings.ts";
import { createJsonLog } from "./log/json-log.ts";
import { signDevelopmentToken } from "./service/development-tokens.ts";
import { openServiceSecret } from "./service/service-secret.ts";
import { hostRegistry } from "./supervisor/host-registry.ts";
import { readyText } from "./supervisor/ready-text.ts";
import { createRestartPolicy } from "./supervisor/restart-policy.ts";
import { createSupervisedService, type ServiceSpec, type SupervisedService } from "./supervisor/supervised-service.ts";
import { isOldPackageOpen } from "./user-service/access-rules.ts";

/** Any instance that is there. */
const byRegistry = "discovery:///order-service";

const request = readSettings(process.argv.slice(2), process.env, process.cwd());
// Whoever reads may end first (`npm start | head`); the services must be stopped in order all the same.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});
if (request.kind === "help") {
  process.stdout.write(`The shop: user-service and order-service.\n\n${request.text}\n`);
} else if (request.kind === "refused") {
  process.stderr.write(`The shop did not start: ${request.problem}\n`);
  process.exitCode = 1;
} else {
  await openShop(request.settings);
}

async function openShop(settings: Settings): Promise<void> {
  const hosted = settings.registry === "" ? await hostRegistry(createJsonLog("shop")) : undefined;
  const registry = hosted?.address ?? settings.registry;
  const orderAddress = settings.orderAddress === ownOrderAddress(settings) ? byRegistry : settings.orderAddress;
  const shared = { ...settings, registry, orderAddress };
  const orders = Array.from({ length: settings.orderInstances }, (_, nth) =>
    supervise({
      name: nth === 0 ? "order-service" : `order-service ${nth + 1}`,
      entryPath: entryPath("order-service"),
      // Only the first has ports that are known beforehand; the others are found by the registry, and their metrics by the log.
      args(address) {
        const ofFirst = nth === 0 ? settings : { orderPort: 0, orderMetricsPort: 0 };
        const { orderPort, orderMetricsPort } = ofFirst;
        return settingsToArgs({ ...shared, orderPort: portOf(address) ?? orderPort, orderMetricsPort });
      },
    }),
  );
  const users = supervise({
    name: "user-service",
    entryPath: entryPath("user-service"),
    args: (address) => settingsToArgs({ ...shared, userPort: portOf(address) ?? settings.userPort }),
  });

  let closing: Promise<unknown> | undefined;
  // All at once: a terminal's Ctrl-C has told all already, and none may count as crashed because of that.
  const close = () => {
    closing ??= Promise.all([users, ...orders].map((service) => service.stop())).then(() => hosted?.close());
    return closing;
  };
  onStopSignals({
    stop: () => void close(),
    force: () => {
      for (const service of [users, ...orders]) service.kill();
      process.exit(1);
    },
  });

  try {
    const orderAddresses: string[] = [];
    // One after the other: the first makes the database that they share.
    for (const order of orders) orderAddresses.push(await order.start());
    const userAddress = await users.start();
    process.stdout.write(
      readyText({
        userAddress,
        orderAddresses,
        metricsAddresses: [settings.metricsPort, settings.orderMetricsPort]
          .filter((port) => port !== 0)
          .map((port) => joinHostPort(settings.metricsHost, port)),
        token: await adminToken(settings),
        reflection: settings.reflection,
        isOldPackageOpen: isOldPackageOpen(settings),
      }),
    );
  } catch (error) {
    // A person who stopped the start need not be told that it was stopped.
    if (closing === undefined) {
      process.stderr.write(`The shop did not open: ${error instanceof Error ? error.message : error}\n`);
      process.exitCode = 1;
    }
    await close();
  }
}

/** For a first try. Whoever reads it can read the databases as well. */
async function adminToken(settings: Settings): Promise<string | undefined> {
  const { jwksUrl, secretFile, tokenAudience, orderTokenAudience } = settings;
  if (jwksUrl !== "") return undefined;
  const audience = [tokenAudience, orderTokenAudience];
  const token = { subject: "developer", role: "admin", audience, lifeMinutes: 12 * 60 } as const;
  return signDevelopmentToken(openServiceSecret(secretFile), token);
}

/** What the setting is when no one has set it and there is no registry. */
function ownOrderAddress({ host, orderPort }: Settings): string {
  return joinHostPort(host, orderPort);
}

function supervise(spec: ServiceSpec): SupervisedService {
  return createSupervisedService(spec, {
    log: createJsonLog("shop"),
    policy: createRestartPolicy(),
    relayLine: (line) => process.stderr.write(`${line}\n`),
  });
}

function entryPath(name: string): string {
  return fileURLToPath(new URL(`./${name}/main.ts`, import.meta.url));
}

function portOf(address: string | undefined): number | undefined {
  return address === undefined ? undefined : Number(address.slice(address.lastIndexOf(":") + 1));
}
