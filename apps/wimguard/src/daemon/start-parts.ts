import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Log } from "@tercel/grpc";
import type { Registry } from "@tercel/interceptors/metrics";
import type { Lifecycle } from "@tercel/service/lifecycle";
import type { ArchiveStores } from "../archive/archive-stores.ts";
import { recoverArchives } from "../archive/recover-archives.ts";
import { createRepositories } from "../archive/repositories.ts";
import { createBackupStore } from "../catalog/backup-store.ts";
import { createEnvStore, type EnvStore } from "../catalog/env-store.ts";
import { keepCopies } from "../catalog/keep-copies.ts";
import { createNamedStore, type NamedStore } from "../catalog/named-store.ts";
import { openCatalog } from "../catalog/open-catalog.ts";
import {
  destinationColumns,
  destinationTable,
  type RegisteredDestination,
  type RegisteredSource,
  sourceColumns,
  sourceTable,
} from "../catalog/registered-items.ts";
import { createRepositoryStore, type RepositoryStore } from "../catalog/repository-store.ts";
import { createRestoreStore, type RestoreStore } from "../catalog/restore-store.ts";
import { createRowWriter } from "../catalog/row-writer.ts";
import type { Config } from "../config/config-schema.ts";
import type { EngineName } from "../engine/compression.ts";
import { type ArchiveImage, takeImageOut } from "../engine/engine.ts";
import { createEngineProbes, type EngineProbes } from "../engine/engine-probes.ts";
import { engines } from "../engine/engines.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import { createReserveFile } from "../files/reserve-file.ts";
import { ArchiveUse } from "../jobs/archive-use.ts";
import type { JobEnd } from "../jobs/job-end.ts";
import { JobQueue } from "../jobs/job-queue.ts";
import { createDaemonMetrics, type DaemonMetrics } from "../metrics/daemon-metrics.ts";
import { Notifier } from "../notify/notifier.ts";
import { createOutboxStore } from "../notify/outbox-store.ts";
import { recoverUploads } from "../registry/receive-upload.ts";
import { createUploadStore, type UploadStore } from "../registry/upload-store.ts";
import { recoverRestores } from "../restore/run-restore.ts";
import { createRunLogStore, type RunLogStore } from "../runs/run-log-store.ts";
import { RunRegistry, type TraceRun, type TrackedJob } from "../runs/run-registry.ts";
import { createRunStore, type RunStore, type StoredRun } from "../runs/run-store.ts";
import { createOccurrenceStore, type OccurrenceStore } from "../schedule/occurrence-store.ts";
import { type Schedule, scheduleColumns, scheduleTable } from "../schedule/schedule-item.ts";
import type { EngineRunner } from "../thread/engine-runner.ts";
import { createThreadRunner } from "../thread/thread-runner.ts";
import { describeDaemon } from "./daemon-file.ts";

/** The parts that the services of a daemon share. */
export interface DaemonParts {
  readonly database: DatabaseSync;
  readonly stores: ArchiveStores;
  readonly restores: RestoreStore;
  readonly envs: EnvStore;
  readonly sources: NamedStore<RegisteredSource>;
  readonly destinations: NamedStore<RegisteredDestination>;
  readonly schedules: NamedStore<Schedule>;
  readonly occurrences: OccurrenceStore;
  readonly repositoryStore: RepositoryStore;
  readonly uploads: UploadStore;
  readonly runner: EngineRunner;
  readonly queue: JobQueue;
  readonly probes: EngineProbes;
  readonly use: ArchiveUse;
  readonly drillFolder: string;
  readonly log: Log;
  readonly runs: RunRegistry;
  readonly runStore: RunStore;
  readonly runLogs: RunLogStore;
  readonly track: (job: TrackedJob) => void;
  readonly metrics: DaemonMetrics;
  readonly notifier: Notifier;
}

export interface PartsOptions {
  readonly folder: string;
  readonly config: Config;
  readonly files: DurableFiles;
  readonly registry: Registry;
  readonly log: Log;
  readonly traceRun: TraceRun;
}

/** Opens the catalogue, recovers from a crash, and starts the job queue. */
export async function startParts(life: Lifecycle, options: PartsOptions): Promise<DaemonParts> {
  const { folder, config, files, registry, log, traceRun } = options;
  const { server: settings } = config.service;
  const nowMs = Date.now;
  const catalogPath = join(folder, settings.database);
  const database = await life.start(
    "catalogue",
    () => openCatalog(catalogPath, files, () => describeDaemon(folder)),
    (opened) => opened.close(),
  );
  const manifestFolder = join(folder, "manifests");
  const drillFolder = join(folder, "drills");
  const runner = createThreadRunner();
  const reserve = createReserveFile(join(folder, "reserve"));
  const rows = createRowWriter(database, files, reserve);
  const backups = createBackupStore(database, rows);
  const hash = (path: string): Promise<string> => runner.hash(path, life.signal);
  const withoutImage = (engine: EngineName, archive: ArchiveImage, newPath: string): Promise<void> =>
    takeImageOut(engines[engine], archive, newPath, life.signal);
  const destinations = createNamedStore(database, rows, destinationTable, destinationColumns);
  const repositoryStore = createRepositoryStore(database, rows);
  const repositories = createRepositories({
    secretRefOf: (repository) => destinations.all().find(({ url }) => url === repository)?.secretRef ?? "",
    onForgotten: (repository) => repositoryStore.forgotten(repository, nowMs()),
    signal: life.signal,
  });
  const stores: ArchiveStores = { files, backups, manifestFolder, hash, withoutImage, repositories, nowMs };
  const restores = createRestoreStore(database, rows);
  mkdirSync(manifestFolder, { recursive: true, mode: 0o700 });
  for (const one of await recoverArchives(stores))
    log.warn("recovered a backup that the previous daemon did not finish", { ...one });
  await recoverRestores({ files, restores, nowMs });
  const uploads = createUploadStore(database, rows);
  await recoverUploads({ files, uploads });
  await files.removeTree(drillFolder);
  mkdirSync(drillFolder, { mode: 0o700 });
  reserve.ensure();
  await reportEngines(log);
  await keepCopies(life, { database, files, catalogPath, log, nowMs });

  const queue = await life.start(
    "jobs",
    () => new JobQueue({ jobs: settings.jobs }),
    (jobs) => jobs.close(),
  );
  const metrics = await life.start(
    "metrics",
    () => createDaemonMetrics(registry, { queue, backups, isScraped: settings.metricsPort !== undefined }),
    (started) => started.close(),
  );
  const targets = settings.notify ?? {};
  const notifier = new Notifier({ outbox: createOutboxStore(database, rows), targets, log, nowMs });
  const onJobEnd = (end: JobEnd, run: StoredRun): void => {
    log[end.state === "failed" ? "warn" : "info"](`${end.kind} ended`, { ...end });
    metrics.countEnd(end);
    notifier.runEnded(run);
    reserve.ensure();
  };
  const runStore = createRunStore(database, rows);
  const runLogs = createRunLogStore(database, rows);
  const runs = new RunRegistry({ store: runStore, logs: runLogs, onJobEnd, nowMs, traceRun });
  const use = new ArchiveUse();
  const probes = createEngineProbes(engines);
  return {
    database,
    stores,
    restores,
    envs: createEnvStore(database, rows),
    sources: createNamedStore(database, rows, sourceTable, sourceColumns),
    destinations,
    repositoryStore,
    schedules: createNamedStore(database, rows, scheduleTable, scheduleColumns),
    occurrences: createOccurrenceStore(database, rows),
    uploads,
    runner,
    queue,
    probes,
    use,
    drillFolder,
    log,
    runs,
    runStore,
    runLogs,
    track: (job) => runs.track(job),
    metrics,
    notifier,
  };
}

/** Logs which engines are available; a job that needs a missing one fails. */
async function reportEngines(log: Log): Promise<void> {
  for (const engine of Object.values(engines)) {
    await engine.probe().then(
      ({ version }) => log.info("engine available", { engine: engine.name, version }),
      (error: Error) => log.warn("engine missing", { engine: engine.name, problem: error.message }),
    );
  }
}
