import { randomUUID } from "node:crypto";
import { realpathSync } from "node:fs";
import type { ConnectRouter } from "@connectrpc/connect";
import { createPageTokens } from "@tercel/aip";
import { manifestPathOf } from "../archive/archive-paths.ts";
import { createBackupService } from "../backup/backup-service.ts";
import { envTable } from "../catalog/env-store.ts";
import { listSnapshots } from "../catalog/list-snapshots.ts";
import { destinationTable, sourceTable } from "../catalog/registered-items.ts";
import { restoreTable } from "../catalog/restore-store.ts";
import { type RowCursor, searchRows } from "../catalog/search-rows.ts";
import type { Config } from "../config/config-schema.ts";
import { captureEnvironment } from "../env/capture-environment.ts";
import { createEnvService } from "../env/env-service.ts";
import { StartError } from "../failure/start-error.ts";
import { BackupService } from "../gen/wimguard/v1/backup_pb.ts";
import { EnvService } from "../gen/wimguard/v1/env_pb.ts";
import { RegistryService } from "../gen/wimguard/v1/registry_pb.ts";
import { RestoreService } from "../gen/wimguard/v1/restore_pb.ts";
import { ScheduleService } from "../gen/wimguard/v1/schedule_pb.ts";
import { SnapshotService } from "../gen/wimguard/v1/snapshot_pb.ts";
import { StatisticsService } from "../gen/wimguard/v1/statistics_pb.ts";
import { createStateWatch } from "../notify/watch-state.ts";
import { checkDestinationItem, checkSource } from "../registry/check-items.ts";
import { startImport } from "../registry/import-archive.ts";
import { createItemService } from "../registry/item-service.ts";
import { createDownloads } from "../restore/download-file.ts";
import { createRestoreService } from "../restore/restore-service.ts";
import { runTable } from "../runs/run-store.ts";
import { StartedRequests } from "../runs/start-once.ts";
import { createKeepReasons } from "../schedule/keep-reasons.ts";
import { createPruneService } from "../schedule/prune-service.ts";
import { createRetentionService } from "../schedule/retention-service.ts";
import { checkSchedule, scheduleTable } from "../schedule/schedule-item.ts";
import { Scheduler } from "../schedule/scheduler.ts";
import { createCheckService } from "../snapshot/check-service.ts";
import { createSnapshotService } from "../snapshot/snapshot-service.ts";
import { deriveKey } from "../token/token.ts";
import { createBackupHandler } from "./handlers/backup-handler.ts";
import { createEnvHandler } from "./handlers/env-handler.ts";
import { createRegistryHandler } from "./handlers/registry-handler.ts";
import { createRestoreHandler } from "./handlers/restore-handler.ts";
import { createScheduleHandler } from "./handlers/schedule-handler.ts";
import { createSnapshotHandler } from "./handlers/snapshot-handler.ts";
import { createStatisticsHandler } from "./handlers/statistics-handler.ts";
import type { DaemonParts } from "./start-parts.ts";

export interface DaemonRoutes {
  readonly routes: (router: ConnectRouter) => void;
  readonly scheduler: Scheduler;
  /** Checks for problems that no run reports, such as overdue schedules. */
  readonly watchState: () => void;
  /** Starts runs that prune repositories, if due. */
  readonly prune: () => void;
}

/** Creates the handlers of all services over their shared parts. */
export function createRoutes(parts: DaemonParts, config: Config): DaemonRoutes {
  const { database, stores, restores } = parts;
  const { roots } = config.service.server;
  const { manifestFolder, files, nowMs } = stores;
  const keys = [{ id: "1", secret: deriveKey(config.appSecret, "page tokens") }];
  const rowTokens = createPageTokens<RowCursor>({ keys });
  const tokens = createPageTokens<number>({ keys });

  const secretsKey = deriveKey(config.appSecret, "environment");
  const envs = createEnvService({
    envs: parts.envs,
    list: (request) => searchRows(database, rowTokens, envTable, request),
    captureNow: () => captureEnvironment(secretsKey),
    nowMs,
  });
  const sourceRoots = resolveRoots(roots?.sources, "sources");
  const backups = createBackupService({
    ...parts,
    sourceRoots,
    rememberEnv: () => envs.remember(),
    findSource: parts.sources.findByName,
    findDestination: parts.destinations.findByName,
  });
  const targetRoots = resolveRoots(roots?.restores, "restores");
  const restoring = createRestoreService({ ...parts, files, manifestFolder, backups, targetRoots, nowMs, restores });
  const downloads = createDownloads({ ...parts, backups });
  const snapshots = createSnapshotService({
    backups,
    store: stores.backups,
    list: (request) => listSnapshots(database, rowTokens, request),
  });
  const checks = createCheckService({ ...parts, snapshots });

  const sources = createItemService({
    store: parts.sources,
    list: (request) => searchRows(database, rowTokens, sourceTable, request),
    noun: "source",
    check: checkSource,
  });
  const destinations = createItemService({
    store: parts.destinations,
    list: (request) => searchRows(database, rowTokens, destinationTable, request),
    noun: "destination",
    check: checkDestinationItem,
  });

  const retention = createRetentionService({ store: stores.backups, backups, use: parts.use, nowMs });
  const scheduler = new Scheduler({
    ...parts,
    all: () => parts.schedules.all(),
    store: stores.backups,
    backups,
    checks,
    retention,
    nowMs,
  });
  parts.metrics.watchSpace(() => parts.destinations.all());
  parts.metrics.watchOverdue(() => parts.schedules.all().filter((one) => scheduler.isOverdue(one)).length);
  const schedules = createItemService({
    store: parts.schedules,
    list: (request) => searchRows(database, rowTokens, scheduleTable, request),
    noun: "schedule",
    check: (input) => checkSchedule(input, (kind, uuid) => parts[`${kind}s`].get(uuid) !== undefined),
  });

  const requests = new StartedRequests(parts.runs);
  const routes = (router: ConnectRouter): void => {
    router.service(
      ScheduleService,
      createScheduleHandler({
        schedules,
        scheduler,
        retention,
        store: stores.backups,
        backups,
        runs: parts.runs,
        logs: parts.runLogs,
        tokens,
        requests,
        listRuns: (request) => searchRows(database, rowTokens, runTable, request),
        newUuid: randomUUID,
        nowMs,
      }),
    );
    router.service(BackupService, createBackupHandler(backups));
    router.service(
      RestoreService,
      createRestoreHandler({
        restores: restoring,
        list: (request) => searchRows(database, rowTokens, restoreTable, request),
        downloads,
        runs: parts.runs,
        requests,
      }),
    );
    router.service(
      StatisticsService,
      createStatisticsHandler({ ...parts, scheduler, store: stores.backups, tokens, nowMs }),
    );
    router.service(EnvService, createEnvHandler(envs));
    router.service(
      RegistryService,
      createRegistryHandler({
        sources,
        destinations,
        files,
        startImport: (location, startedBy) => startImport(parts, location, startedBy),
        runs: parts.runs,
        requests,
        uploads: parts.uploads,
        findDestination: parts.destinations.findByName,
      }),
    );
    router.service(
      SnapshotService,
      createSnapshotHandler({
        snapshots,
        checks,
        tokens,
        downloads,
        manifestOf: ({ uuid }) => manifestPathOf(manifestFolder, uuid),
        createKeepReasons: () => createKeepReasons(parts.schedules, retention),
      }),
    );
  };
  const watchState = createStateWatch(parts.notifier, {
    schedules: () => parts.schedules.all(),
    isOverdue: (schedule) => scheduler.isOverdue(schedule),
    destinations: () => parts.destinations.all(),
  });
  const pruning = createPruneService({
    ...parts,
    store: parts.repositoryStore,
    repositories: stores.repositories,
    nowMs,
  });
  return { routes, scheduler, watchState, prune: () => pruning.startDue() };
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
