import { readFileSync } from "node:fs";
import type { DescService } from "@bufbuild/protobuf";
import { type Client, ConnectError } from "@connectrpc/connect";
import { type Channel, createChannel, createClient } from "@tercel/grpc";
import { refuseUnknownOptions } from "@tercel/grpc/internal";
import { askHealth } from "@tercel/grpc/services";
import type { Config } from "../config/config-schema.ts";
import { configPath, dataFolder } from "../config/data-folder.ts";
import { BackupService } from "../gen/wimguard/v1/backup_pb.ts";
import { EnvService } from "../gen/wimguard/v1/env_pb.ts";
import { RegistryService } from "../gen/wimguard/v1/registry_pb.ts";
import { RestoreService } from "../gen/wimguard/v1/restore_pb.ts";
import { ScheduleService } from "../gen/wimguard/v1/schedule_pb.ts";
import { SnapshotService } from "../gen/wimguard/v1/snapshot_pb.ts";
import { StatisticsService } from "../gen/wimguard/v1/statistics_pb.ts";
import { mintToken } from "../token/token.ts";
import { type BackupInput, type BackupResult, backupToEnd, type OnBackupProgress } from "./backup-to-end.ts";
import { createDaemonTransport } from "./daemon-transport.ts";
import { NotReachable, NotServing } from "./not-reachable.ts";

export interface WimGuardOptions {
  /** Timeout of connecting, health and unary calls in milliseconds; streams such as backups have none. Default: from the config, else 30,000. */
  readonly timeoutMs?: number;
  /** Folder of the config. Default: WIMGUARD_DIR, else the platform's data folder. */
  readonly folder?: string;
  /** Token, for a machine without the config. Default: minted with the config's secret. */
  readonly token?: string;
  /** PEM file of the authorities that sign the server's certificate; enables TLS. Default: from the config. */
  readonly caFile?: string;
}

/** The clients of all services, over one channel. */
export interface WimGuard {
  readonly backup: Client<typeof BackupService>;
  readonly restore: Client<typeof RestoreService>;
  readonly snapshot: Client<typeof SnapshotService>;
  readonly schedule: Client<typeof ScheduleService>;
  readonly registry: Client<typeof RegistryService>;
  readonly env: Client<typeof EnvService>;
  readonly statistics: Client<typeof StatisticsService>;
  /** Runs a backup and resolves when it is completed; rejects with the ConnectError of one that is not. */
  backupToEnd(
    request: BackupInput,
    onProgress?: OnBackupProgress,
    options?: { signal?: AbortSignal },
  ): Promise<BackupResult>;
  /** Closes the channel when open calls have ended. */
  close(): Promise<void>;
}

const defaultTimeoutMs = 30_000;
/** Lifetime of a token; a client that runs longer mints another. */
const tokenTtlMs = 10 * 60_000;
/** A token that has less left than this is replaced. */
const tokenSpareMs = 60_000;

/**
 * Connects to a daemon and checks that it is serving.
 *
 * @param address `host:port` or `unix:/path`. Default: from the config
 * @throws NotReachable or NotServing, ConfigError for an invalid config, TypeError or RangeError for invalid options
 */
export async function connect(address?: string, options: WimGuardOptions = {}): Promise<WimGuard> {
  refuseUnknownOptions("connect", options, ["timeoutMs", "folder", "token", "caFile"]);
  const settings = await readSettings(address, options);
  const channel = createChannel(settings.address, {
    connectTimeoutMs: settings.timeoutMs,
    ...(settings.caFile !== undefined && { tls: { ca: readFileSync(settings.caFile) } }),
  });
  try {
    await requireServing(channel, settings.address, settings.timeoutMs);
  } catch (error) {
    await channel.close({ deadlineMs: 0 });
    throw error;
  }
  const transport = createDaemonTransport(channel, settings);
  const clientOf = <Service extends DescService>(service: Service): Client<Service> => createClient(service, transport);
  const backup = clientOf(BackupService);
  return {
    backup,
    restore: clientOf(RestoreService),
    snapshot: clientOf(SnapshotService),
    schedule: clientOf(ScheduleService),
    registry: clientOf(RegistryService),
    env: clientOf(EnvService),
    statistics: clientOf(StatisticsService),
    backupToEnd: (request, onProgress, callOptions) => backupToEnd(backup, request, onProgress, callOptions),
    close: () => channel.close(),
  };
}

interface Settings {
  readonly address: string;
  readonly timeoutMs: number;
  readonly caFile: string | undefined;
  readonly getToken: (() => string | Promise<string>) | undefined;
}

/** Reads the settings; with an address and a token, no config is needed. */
async function readSettings(address: string | undefined, options: WimGuardOptions): Promise<Settings> {
  const { token, timeoutMs, caFile } = options;
  if (timeoutMs !== undefined && !(Number.isInteger(timeoutMs) && timeoutMs > 0)) {
    throw new RangeError(`invalid timeoutMs ${timeoutMs} of connect: use a whole number above 0`);
  }
  if (address !== undefined && (token !== undefined || address.startsWith("unix:"))) {
    const getToken = token === undefined || address.startsWith("unix:") ? undefined : () => token;
    return { address, timeoutMs: timeoutMs ?? defaultTimeoutMs, caFile, getToken };
  }
  const { loadConfig } = await import("../config/load-config.ts");
  const config = await loadConfig(configPath(dataFolder(options.folder)));
  const { client } = config.service;
  const chosen = address ?? client.serverAddress;
  const isUnix = chosen.startsWith("unix:");
  return {
    address: chosen,
    timeoutMs: timeoutMs ?? client.timeout,
    caFile: caFile ?? client.ca,
    getToken: isUnix ? undefined : token === undefined ? createMint(config) : () => token,
  };
}

/** Mints a token when there is none, or when the last one is about to expire. */
function createMint(config: Config): () => Promise<string> {
  let token = "";
  let freshUntilMs = 0;
  return async () => {
    const nowMs = Date.now();
    if (nowMs < freshUntilMs) return token;
    token = await mintToken(config, { role: "admin", ttlMs: tokenTtlMs, nowMs });
    freshUntilMs = nowMs + tokenTtlMs - tokenSpareMs;
    return token;
  };
}

async function requireServing(channel: Channel, address: string, timeoutMs: number): Promise<void> {
  try {
    await askHealth(channel)(AbortSignal.timeout(timeoutMs));
  } catch (error) {
    // Other errors come from a response with a status other than SERVING.
    if (error instanceof ConnectError) throw new NotReachable(address, timeoutMs, error);
    throw new NotServing(address);
  }
}
