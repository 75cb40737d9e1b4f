import type { Clock, Log } from "@tercel/grpc";
import type { Registry } from "@tercel/interceptors/metrics";
import { importPeer } from "../../import-peer.ts";
import type { Lifecycle } from "../../lifecycle/lifecycle-contract.ts";
import { PermanentError } from "../../permanent-error.ts";
import type { Opened, Provider, ProviderHost } from "../../provider.ts";
import type { ConfiguredProvider, RunConfig } from "../run-config/run-config.ts";
import { isSamePlace } from "../run-config/same-place.ts";
import type { PlannedProvider } from "./plan-needs.ts";
import { type RetrySettings, retryUntil } from "./retry-until.ts";

/** The context in which providers are opened. */
export interface OpenContext {
  readonly config: RunConfig;
  readonly log: Log;
  /** Registry that returns existing families. */
  readonly metrics: Registry;
  readonly clock: Clock;
}

/** An open provider. */
export interface OpenProvider {
  readonly entry: ConfiguredProvider;
  readonly opened: Opened;
  readonly host: ProviderHost;
}

/**
 * Migrates a database, opens the provider, and closes it at the end of the lifecycle. Both are retried until `start.wait` is over. A provider that opens
 * later is closed.
 */
export async function openProvider(
  life: Lifecycle,
  planned: PlannedProvider,
  context: OpenContext,
): Promise<OpenProvider> {
  const { entry, provider } = planned;
  const { log, clock, metrics } = context;
  const what = nameOf(entry);
  await migrateDatabase(planned, context, life.signal);
  const { config } = entry;
  const ending = new AbortController();
  const host = hostOf(entry, context, ending.signal);
  const startedMs = clock.nowMs();
  const opened = await life.start(
    what,
    async () => {
      try {
        const settings = retrySettings(context, AbortSignal.any([life.signal, ending.signal]));
        const open = () => withPeer(provider, () => provider.open(config, host));
        return await retryUntil(what, open, (late) => late.close(), settings);
      } catch (error) {
        ending.abort(error);
        throw error;
      }
    },
    (one) => {
      ending.abort(new Error(`${what} is being closed`));
      return one.close();
    },
  );
  metrics
    .gauge("tercel_provider_open_seconds", { help: "Time to open a provider.", labels: ["concern", "name"] })
    .with(entry.concern, entry.name)
    .set((clock.nowMs() - startedMs) / 1000);
  log.info("provider opened", { provider: what, at: opened.describe });
  return { entry, opened, host };
}

/** Applies or checks the migrations of every need of the provider. Retries until `start.wait` is over. */
export async function migrateDatabase(
  { entry, provider, needs }: PlannedProvider,
  context: OpenContext,
  stopping: AbortSignal,
): Promise<void> {
  const folders = new Set(needs.flatMap(({ need }) => (need.migrations === undefined ? [] : [need.migrations.href])));
  if (folders.size === 0) return;
  const what = `${nameOf(entry)}: migrations`;
  const { config } = entry;
  const ending = new AbortController();
  const host = hostOf(entry, context, ending.signal);
  const settings = retrySettings(context, AbortSignal.any([stopping, ending.signal]));
  try {
    for (const folder of folders) {
      const request = { folder: new URL(folder), mode: context.config.start.migrations };
      const migrate = async (): Promise<void> => {
        if (provider.migrate === undefined)
          throw new PermanentError(`provider type ${provider.type} does not support migrations`);
        await withPeer(provider, async () => provider.migrate?.(config, request, host));
      };
      await retryUntil(what, migrate, () => {}, settings);
    }
  } finally {
    ending.abort(new Error(`${what} are over`));
  }
}

function nameOf({ concern, name }: ConfiguredProvider): string {
  return `${concern} ${name}`;
}

function hostOf(
  { name }: ConfiguredProvider,
  { config, log, metrics, clock }: OpenContext,
  signal: AbortSignal,
): ProviderHost {
  const pages = config.http ?? config.metrics;
  const httpPort = pages?.port;
  const servesTls = config.grpc.certificate !== undefined;
  // On a port with calls, pages use the same TLS.
  const hasCalls =
    pages !== undefined &&
    (isSamePlace(pages, config.grpc.listen) || (pages === config.http && config.gateway !== undefined));
  const httpServesTls = servesTls && hasCalls;
  return {
    name,
    service: config.service.name,
    log,
    metrics,
    clock,
    signal,
    servesTls,
    httpServesTls,
    ...(httpPort !== undefined && { httpPort }),
  };
}

function retrySettings({ config, clock, log }: OpenContext, signal: AbortSignal): RetrySettings {
  return { waitMs: config.start.waitMs, clock, log, signal };
}

/** Runs an operation that needs an optional package; a missing package is a permanent error. */
function withPeer<Result>({ concern, type, peer }: Provider, run: () => Promise<Result>): Promise<Result> {
  return peer === undefined ? run() : importPeer(`${concern} ${type}`, peer, run);
}
