import { fileURLToPath } from "node:url";
import { onStopSignals } from "@tercel/grpc";
import { joinHostPort, readSettings, type Settings, settingsToArgs } from "./config/settings.ts";
import { createJsonLog } from "./log/json-log.ts";
import { readyText } from "./supervisor/ready-text.ts";
import { createRestartPolicy } from "./supervisor/restart-policy.ts";
import { createSupervisedService, type ServiceSpec, type SupervisedService } from "./supervisor/supervised-service.ts";

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
  const orders = supervise({
    name: "order-service",
    entryPath: entryPath("order-service"),
    args: (address) => settingsToArgs({ ...settings, orderPort: portOf(address) ?? settings.orderPort }),
  });
  let orderAddress = settings.orderAddress;
  const users = supervise({
    name: "user-service",
    entryPath: entryPath("user-service"),
    args: (address) => settingsToArgs({ ...settings, userPort: portOf(address) ?? settings.userPort, orderAddress }),
  });

  let closing: Promise<unknown> | undefined;
  // Both at once: a terminal's Ctrl-C has told both already, and neither may count as crashed because of that.
  const close = () => {
    closing ??= Promise.all([users.stop(), orders.stop()]);
    return closing;
  };
  onStopSignals({
    stop: () => void close(),
    force: () => {
      users.kill();
      orders.kill();
      process.exit(1);
    },
  });

  try {
    const listening = await orders.start();
    // With port 0 nobody could know before where order-service would be.
    if (settings.orderPort === 0 && settings.orderAddress === joinHostPort(settings.host, 0)) orderAddress = listening;
    const userAddress = await users.start();
    process.stdout.write(readyText(userAddress, listening));
  } catch (error) {
    // A person who stopped the start need not be told that it was stopped.
    if (closing === undefined) {
      process.stderr.write(`The shop did not open: ${error instanceof Error ? error.message : error}\n`);
      process.exitCode = 1;
    }
    await close();
  }
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
