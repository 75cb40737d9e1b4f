import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { createPageTokens } from "@tercel/aip";
import { createServer, type Log, type Server, watchTlsFiles } from "@tercel/grpc";
import { createHealth, createReflection, type Health } from "@tercel/grpc/services";
import { createRateLimit } from "@tercel/interceptors/rate-limit";
import { createRecovery } from "@tercel/interceptors/recovery";
import { type Lifecycle, type LifecycleOutcome, runLifecycle } from "@tercel/service";
import type { ArchiveStores } from "../archive/archive-stores.ts";
import { recoverArchives } from "../archive/recover-archives.ts";
import { createBackupService } from "../backup/backup-service.ts";
import { createBackupStore } from "../catalog/backup-store.ts";
import { openCatalog } from "../catalog/open-catalog.ts";
import { createRestoreStore } from "../catalog/restore-store.ts";
import type { Config } from "../config/config-schema.ts";
import { prepareConfig, saveAddress } from "../config/prepare-config.ts";
import { createEngineProbes } from "../engine/engine-probes.ts";
import { engines } from "../engine/engines.ts";
import { StartError } from "../failure/start-error.ts";
import { errorDomain } from "../failure/to-connect-error.ts";
import { createNodeDurableFiles } from "../files/node-durable-files.ts";
import { BackupService } from "../gen/wimguard/v1/backup_pb.ts";
import { RestoreService } from "../gen/wimguard/v1/restore_pb.ts";
import { ArchiveUse } from "../jobs/archive-use.ts";
import { JobQueue } from "../jobs/job-queue.ts";
import { createRestoreService } from "../restore/restore-service.ts";
import { recoverRestores } from "../restore/run-restore.ts";
import { createThreadRunner } from "../thread/thread-runner.ts";
import { deriveKey } from "../token/token.ts";
import { createAccess } from "./access.ts";
import { createBackupHandler } from "./backup-handler.ts";
import { checkExposure, isLoopback } from "./check-exposure.ts";
import { describeDaemon, removeDaemonFile, writeDaemonFile } from "./daemon-file.ts";
import { createRestoreHandler } from "./restore-handler.ts";

export interface DaemonOptions {
  /** The folder of config and catalogue. */
  readonly folder: string;
  /** Saved in the config if it is set. 0 takes a free one. */
  readonly port?: number;
  readonly host?: string;
  readonly socket?: string;
  /** Beyond loopback without TLS. */
  readonly isInsecure?: boolean;
  readonly log: Log;
  /** Called once, when clients can call. */
  onListening(address: string): void;
  /** Stops the daemon when it aborts, as a signal does. */
  readonly signal?: AbortSignal;
}

/** Calls may take so long to end after a stop was asked for; then they are cancelled. */
const drainMs = 30_000;
/** Room for an engine's program to end (5 s) and for what it has written to be removed. */
const stopTimeoutMs = 15_000;
const callsPerMinute = 6_000;

const services: readonly DescService[] = [BackupService, RestoreService];

/**
 * Runs the daemon until a signal stops it: config, catalogue, recovery, jobs, health, server. On the way down everything is NOT_SERVING,
 * calls may end for 30 s, then they are cancelled and their jobs rolled back.
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
      "service.server.enabled is false in the config: set it to true to run a daemon here",
    );
  }
  const host = options.host ?? settings.host;
  checkExposure(config, host, options.isInsecure ?? false, log);
  const catalogPath = join(folder, settings.database);
  const database = await life.start(
    "catalogue",
    () => openCatalog(catalogPath, files, () => describeDaemon(folder)),
    (opened) => opened.close(),
  );
  const manifestFolder = join(folder, "manifests");
  mkdirSync(manifestFolder, { recursive: true, mode: 0o700 });
  const runner = createThreadRunner();
  const nowMs = Date.now;
  const stores: ArchiveStores = {
    files,
    backups: createBackupStore(database, files),
    manifestFolder,
    hash: (path) => runner.hash(path, life.signal),
    nowMs,
  };
  const restores = createRestoreStore(database, files);
  for (const one of await recoverArchives(stores)) log.warn("ended a backup of the last run", { ...one });
  await recoverRestores({ files, restores, nowMs });
  await reportEngines(log);

  const queue = await life.start(
    "jobs",
    () => new JobQueue({ jobs: settings.jobs }),
    (jobs) => jobs.close(),
  );
  const shared = { stores, runner, queue, log, probes: createEngineProbes(engines), use: new ArchiveUse() };
  const backups = createBackupService({ ...shared, sourceRoots: resolveRoots(settings.roots?.sources, "sources") });
  const restoring = createRestoreService({
    ...shared,
    files,
    restores,
    manifestFolder,
    backups,
    targetRoots: resolveRoots(settings.roots?.restores, "restores"),
    nowMs,
  });
  const tokens = createPageTokens<number>({ keys: [{ id: "1", secret: deriveKey(config.appSecret, "page tokens") }] });
  const routes = (router: ConnectRouter): void => {
    router.service(BackupService, createBackupHandler(backups));
    router.service(RestoreService, createRestoreHandler(restoring, { restores, tokens }));
  };
  await listen(life, config, options, { routes, host });
}

/** What is missing is reported at the start, and again to whoever needs it. */
async function reportEngines(log: Log): Promise<void> {
  for (const engine of Object.values(engines)) {
    await engine.probe().then(
      ({ version }) => log.info("engine available", { engine: engine.name, version }),
      (error: Error) => log.warn("engine missing", { engine: engine.name, problem: error.message }),
    );
  }
}

function resolveRoots(roots: readonly string[] | undefined, name: string): string[] | undefined {
  return roots?.map((root) => {
    try {
      return realpathSync(root);
    } catch {
      throw new StartError("config", `service.server.roots.${name}: ${root} does not exist`);
    }
  });
}

interface Served {
  readonly routes: (router: ConnectRouter) => void;
  readonly host: string;
}

async function listen(life: Lifecycle, config: Config, options: DaemonOptions, served: Served): Promise<void> {
  const { folder, log } = options;
  const { server: settings } = config.service;
  const files = createNodeDurableFiles();
  const health = createHealth({ log });
  for (const { typeName } of services) health.setStatus(typeName, "SERVING");
  const socket = options.socket ?? settings.socket;
  if (socket !== undefined) {
    // Who may open it is the file's mode: no token is needed.
    await life.serve(createDaemonServer(config, health, served, [], log), { path: socket, mode: 0o600 });
  }
  const limit = isLoopback(served.host)
    ? []
    : [createRateLimit({ limit: { requests: callsPerMinute, per: "minute" }, domain: errorDomain, log })];
  const protection = [...createAccess(config, services, log), ...limit];
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
  { routes }: Served,
  protection: readonly Interceptor[],
  log: Log,
  more: Pick<Parameters<typeof createServer>[0], "tls" | "insecure"> = {},
): Server {
  const reflection = createReflection({ services: [...services, health.service] });
  return createServer({
    ...more,
    log,
    interceptors: [createRecovery({ log }), ...protection],
    routes(router) {
      routes(router);
      health.routes(router);
      if (config.service.server.reflection) reflection.routes(router);
    },
  });
}

/** Clients on this machine reach a server that listens everywhere at localhost. */
function clientHost(host: string): string {
  return isLoopback(host) || host === "0.0.0.0" || host === "::" ? "localhost" : host;
}

function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
