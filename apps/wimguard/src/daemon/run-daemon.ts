import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { createServer, type Log, type Server, watchTlsFiles } from "@tercel/grpc";
import { createHealth, createReflection, type Health } from "@tercel/grpc/services";
import { createRegistry, createServerMetrics, type ServerMetrics } from "@tercel/interceptors/metrics";
import { createRecovery } from "@tercel/interceptors/recovery";
import { type Lifecycle, type LifecycleOutcome, runLifecycle } from "@tercel/service/lifecycle";
import type { Config } from "../config/config-schema.ts";
import { prepareConfig, saveAddress } from "../config/prepare-config.ts";
import { StartError } from "../failure/start-error.ts";
import { errorDomain } from "../failure/to-connect-error.ts";
import { createNodeDurableFiles } from "../files/node-durable-files.ts";
import { keepTicking } from "../schedule/keep-ticking.ts";
import { appOf, createAccess } from "./access.ts";
import { checkExposure, isLoopback } from "./check-exposure.ts";
import { createRoutes } from "./create-routes.ts";
import { removeDaemonFile, writeDaemonFile } from "./daemon-file.ts";
import { services } from "./services.ts";
import { startParts } from "./start-parts.ts";
import { startTracing } from "./tracing.ts";

export interface DaemonOptions {
  /** Folder of config and catalogue. */
  readonly folder: string;
  /** Port to listen on, which is saved in the config. 0 chooses a free port. */
  readonly port?: number;
  readonly host?: string;
  readonly socket?: string;
  /** Whether to listen beyond loopback without TLS. */
  readonly isInsecure?: boolean;
  readonly log: Log;
  /** Called once, when the daemon listens. */
  onListening(address: string): void;
  /** Stops the daemon when aborted, as a process signal does. */
  readonly signal?: AbortSignal;
}

/** Time for open calls to end after a stop; then they are cancelled. */
const drainMs = 30_000;
/** Time for an engine's program to end (5 s) and for its files to be removed. */
const stopTimeoutMs = 15_000;
const callsPerMinute = 6_000;

/**
 * Runs the daemon until a signal stops it. Starts config, catalogue, recovery, jobs, health and server in this order. On stop it reports
 * NOT_SERVING and drains calls for 30 s, then cancels them and rolls their jobs back.
 *
 * @throws ConfigError or StartError when it cannot start
 */
export async function runDaemon(options: DaemonOptions): Promise<LifecycleOutcome> {
  const { log, signal } = options;
  return runLifecycle((life) => startDaemon(life, options), {
    drainMs,
    stopTimeoutMs,
    log,
    ...(signal !== undefined && { signal }),
  });
}

async function startDaemon(life: Lifecycle, options: DaemonOptions): Promise<void> {
  const { folder, log } = options;
  const files = createNodeDurableFiles();
  const config = await prepareConfig(files, folder);
  const { server: settings } = config.service;
  if (!settings.enabled) {
    throw new StartError(
      "config",
      "service.server.enabled is false in the config: set it to true to run a daemon on this machine",
    );
  }
  const host = options.host ?? settings.host;
  checkExposure(config, host, options.isInsecure ?? false, log);
  const registry = createRegistry();
  const { interceptors, traceRun } = await startTracing(life, settings.traces, log);
  const parts = await startParts(life, { folder, config, files, registry, log, traceRun });
  const { routes, scheduler, watchState, prune } = createRoutes(parts, config);
  const { notifier, runs } = parts;
  await life.start(
    "scheduler",
    () => keepTicking({ scheduler, notifier, watchState, prune, runs, log }),
    (stop) => stop(),
  );
  const { metricsPort } = settings;
  if (metricsPort !== undefined) {
    const { closeMetrics, serveMetrics } = await import("../metrics/serve-metrics.ts");
    await life.start("metrics page", () => serveMetrics(registry, metricsPort), closeMetrics);
  }
  await listen(life, config, options, {
    routes,
    host,
    tracing: interceptors,
    calls: createServerMetrics({ registry }),
  });
}

interface Served {
  readonly routes: (router: ConnectRouter) => void;
  readonly host: string;
  readonly calls: ServerMetrics;
  readonly tracing: readonly Interceptor[];
}

async function listen(life: Lifecycle, config: Config, options: DaemonOptions, served: Served): Promise<void> {
  const { folder, log } = options;
  const { server: settings } = config.service;
  const files = createNodeDurableFiles();
  const health = createHealth({ log });
  for (const { typeName } of services) health.setStatus(typeName, "SERVING");
  const socket = options.socket ?? settings.socket;
  if (socket !== undefined) {
    // The mode of the socket file controls access, so no token is needed.
    await life.serve(createDaemonServer(config, health, served, [], log), { path: socket, mode: 0o600 });
  }
  const limits = isLoopback(served.host) ? [] : [await createCallLimit(log)];
  const protection = [...createAccess(config, services, log), ...limits];
  const server = await createTcpServer(life, config, health, served, protection, options);
  const port = options.port ?? settings.port;
  const { port: listening } = await life.serve(server, { host: served.host, port }, { health });
  const address = joinHostPort(clientHost(served.host), listening);
  await saveAddress(files, folder, port, address);
  await life.start(
    "daemon file",
    () => writeDaemonFile(files, folder, address),
    () => removeDaemonFile(files, folder),
  );
  log.info("listening", { address: joinHostPort(served.host, listening), pid: process.pid });
  options.onListening(joinHostPort(served.host, listening));
}

async function createCallLimit(log: Log): Promise<Interceptor> {
  const { createRateLimit } = await import("@tercel/interceptors/rate-limit");
  return createRateLimit({
    limit: { requests: callsPerMinute, per: "minute" },
    keyOf: appOf,
    domain: errorDomain,
    log,
  });
}

async function createTcpServer(
  life: Lifecycle,
  config: Config,
  health: Health,
  served: Served,
  protection: readonly Interceptor[],
  { isInsecure, log }: DaemonOptions,
): Promise<Server> {
  const { tls } = config.service.server;
  if (tls === undefined) {
    const isMeant = isInsecure === true ? { insecure: true } : {};
    return createDaemonServer(config, health, served, protection, log, isMeant);
  }
  const { cert, key, clientCa } = tls;
  const caFile = clientCa === undefined ? {} : { caFile: clientCa };
  const certificates = await life.start(
    "certificates",
    () => watchTlsFiles({ certFile: cert, keyFile: key, ...caFile, log }),
    (watched) => watched.close(),
  );
  const clients = clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
  return createDaemonServer(config, health, served, protection, log, { tls: { files: certificates, ...clients } });
}

function createDaemonServer(
  config: Config,
  health: Health,
  { routes, calls, tracing }: Served,
  protection: readonly Interceptor[],
  log: Log,
  more: Pick<Parameters<typeof createServer>[0], "tls" | "insecure"> = {},
): Server {
  const reflection = config.service.server.reflection
    ? createReflection({ services: [...services, health.service] })
    : undefined;
  return createServer({
    ...more,
    log,
    interceptors: [...tracing, createRecovery({ log }), calls, ...protection],
    onUnhandledCall: calls.countUnhandled,
    routes(router) {
      routes(router);
      health.routes(router);
      reflection?.routes(router);
    },
  });
}

/** Returns the host for clients on this machine: localhost for a server on all interfaces. */
function clientHost(host: string): string {
  return isLoopback(host) || host === "0.0.0.0" || host === "::" ? "localhost" : host;
}

function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
