import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { onStopSignals } from "@tercel/service/lifecycle";
import {
  type DevelopmentSecret,
  openDevelopmentSecret,
  type ServiceName,
  serviceNames,
  writeServiceKeys,
} from "./supervisor/development-secret.ts";
import { type HostedInfrastructure, hostInfrastructure } from "./supervisor/host-infrastructure.ts";
import { readyText } from "./supervisor/ready-text.ts";
import { createRestartPolicy } from "./supervisor/restart-policy.ts";
import { readShopArguments } from "./supervisor/service-arguments.ts";
import {
  createSupervisedService,
  entryPathOf,
  type ReadyReport,
  type SupervisedService,
} from "./supervisor/supervised-service.ts";

const request = readShopArguments(process.argv.slice(2));
// Whoever reads may end first (`npm start | head`); the services must be stopped in order all the same.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});
// Only this user may read the databases.
process.umask(0o077);
if (request.kind === "help") {
  process.stdout.write(`${request.text}\n`);
} else if (request.kind === "refused") {
  process.stderr.write(`The shop did not start: ${request.problem}\n`);
  process.exitCode = 1;
} else {
  await openShop(request.argumentsOf).catch(refuseStart);
}

async function openShop(argumentsOf: (service: ServiceName) => readonly string[]): Promise<void> {
  const dataFolder = resolve(process.env.SHOP_DATA || "data/shop");
  const secret = openDevelopmentSecret(dataFolder);
  const silent = { debug() {}, info() {}, warn: reportOfHost("warn"), error: reportOfHost("error") };
  const hosted = await hostInfrastructure(dataFolder, silent);
  const env = { SHOP_DATA: dataFolder, ...variablesOf(hosted, secret, writeServiceKeys(dataFolder, secret)) };
  const services = serviceNames.map((name) => supervise(name, argumentsOf(name), { ...env, ...keyOf(name, secret) }));

  let closing: Promise<unknown> | undefined;
  const close = () => {
    closing ??= Promise.all(services.map((service) => service.stop())).then(() => hosted.close());
    return closing;
  };
  onStopSignals({
    stop: () => void close(),
    force: () => {
      for (const service of services) service.kill();
      process.exit(1);
    },
  });

  try {
    const reports = await Promise.all(services.map((service) => service.start()));
    const open = Object.fromEntries(serviceNames.map((name, at) => [name, reports[at]])) as Record<
      ServiceName,
      ReadyReport
    >;
    const token = await secret.signToken({ subject: "developer", role: "admin", minutes: 12 * 60 });
    process.stdout.write(readyText({ services: open, token }));
  } catch (error) {
    // A person who stopped the start knows that it was stopped.
    if (closing === undefined) refuseStart(error);
    await close();
  }
}

function supervise(
  name: ServiceName,
  set: readonly string[],
  env: Readonly<Record<string, string>>,
): SupervisedService {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const spec = {
    name,
    entryPath: entryPathOf(name),
    cwd,
    env,
    args: (address: string | undefined) => ["--config", `src/${name}/config.yaml`, ...set, ...keptPort(address)],
  };
  return createSupervisedService(spec, {
    policy: createRestartPolicy(),
    relayLine: (line) => process.stderr.write(`${line}\n`),
  });
}

/** What `--set` and the user's own variables may still change. */
function variablesOf({ registry, hub }: HostedInfrastructure, secret: DevelopmentSecret, keysFile: string) {
  const defaults = {
    TERCEL__DISCOVERY__PROVIDERS__EMBEDDED__TARGET: registry,
    TERCEL__EVENTS__PROVIDERS__EMBEDDED__TARGET: hub,
    TERCEL__SECURITY__SECRET: secret.text,
    TERCEL__SECURITY__SERVICE_KEYS_FILE: keysFile,
  };
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => process.env[name] === undefined));
}

function keyOf(name: ServiceName, secret: DevelopmentSecret): Readonly<Record<string, string>> {
  return { TERCEL__SECURITY__SERVICE_AUTH_KEY: secret.serviceKey(name) };
}

/** A service that is started again listens where it did. */
function keptPort(address: string | undefined): readonly string[] {
  return address === undefined ? [] : ["--set", `service.port=${address.slice(address.lastIndexOf(":") + 1)}`];
}

function reportOfHost(level: string) {
  return (message: string, fields: object = {}): void => {
    process.stderr.write(
      `${JSON.stringify({ time: new Date().toISOString(), level, message, service: "shop", ...fields })}\n`,
    );
  };
}

function refuseStart(error: unknown): void {
  process.stderr.write(`The shop did not open: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
