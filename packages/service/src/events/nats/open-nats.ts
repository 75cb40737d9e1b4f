import type { JetStreamManager, StreamConfig } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock, Log } from "@tercel/grpc";
import { withNamedExports } from "@tercel/grpc/internal";
import { importPeer } from "../../import-peer.ts";
import { PermanentError } from "../../permanent-error.ts";
import type { EventBroker } from "../broker/event-broker.ts";
import { NatsBroker, type NatsModules } from "./nats-broker.ts";

export interface NatsOptions {
  /** `nats://user:password@host:4222`, or several. */
  readonly servers: readonly string[];
  /** Name of the stream, which is created if it does not exist. Default `TERCEL_EVENTS`. */
  readonly stream?: string;
  /** Prefix of the stream's subjects. Default `tercel.events`. */
  readonly prefix?: string;
  /** How long the stream stores an event, handled or not. Default 7 days. */
  readonly maxAgeMs?: number;
  /** Number of replicas of the stream in a cluster. Default 1. */
  readonly replicas?: number;
  /** Timeout of a request to the server. Default 5000. */
  readonly timeoutMs?: number;
}

export interface NatsHost {
  /** The connection's name, shown by the server. */
  readonly service: string;
  readonly clock: Clock;
  readonly log: Log;
}

export const natsPeer = { name: "@nats-io/transport-node", range: "^3" } as const;
export const jetstreamPeer = { name: "@nats-io/jetstream", range: "^3" } as const;

const dayMs = 24 * 60 * 60 * 1000;
const nanosPerMs = 1_000_000;
/** Window of the duplicate detection: long enough for a relay that crashes after sending and restarts. */
const duplicateWindowMs = 5 * 60 * 1000;
/** NATS's code for a stream that does not exist. */
const streamNotFound = 10_059;

type NatsSettings = Required<NatsOptions>;

const defaults: Omit<NatsSettings, "servers"> = {
  stream: "TERCEL_EVENTS",
  prefix: "tercel.events",
  maxAgeMs: 7 * dayMs,
  replicas: 1,
  timeoutMs: 5000,
};

/**
 * Connects to NATS and creates the stream if it does not exist.
 *
 * @throws PermanentError for a missing package, rejected credentials, or a stream without the subjects
 */
export async function openNats(options: NatsOptions, host: NatsHost): Promise<EventBroker> {
  const modules: NatsModules = {
    nats: await importPeer("events nats", natsPeer, () => import("@nats-io/transport-node").then(withNamedExports)),
    jetstream: await importPeer("events nats", jetstreamPeer, () =>
      import("@nats-io/jetstream").then(withNamedExports),
    ),
  };
  const settings = { ...defaults, ...options };
  const description = `nats at ${options.servers.map(withoutSecrets).join(", ")}`;
  const connection = await connect(modules, settings, host, description);
  try {
    const manager = await modules.jetstream.jetstreamManager(connection, { timeout: settings.timeoutMs });
    await ensureStream(modules, manager, settings, description);
    const { clock, log } = host;
    const { stream, prefix, timeoutMs } = settings;
    return new NatsBroker({ modules, connection, manager, stream, prefix, timeoutMs, clock, log, description });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function connect(
  { nats }: NatsModules,
  options: NatsSettings,
  { service }: NatsHost,
  description: string,
): Promise<NatsConnection> {
  const urls = options.servers.map((server) => new URL(server.includes("://") ? server : `nats://${server}`));
  const { username, password } = urls[0] as URL;
  try {
    return await nats.connect({
      servers: urls.map(({ host }) => host),
      name: service,
      timeout: options.timeoutMs,
      maxReconnectAttempts: -1,
      // Otherwise each event takes two stack traces, a third of its CPU time.
      noAsyncTraces: true,
      ...(username !== "" && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
      ...(urls.some(({ protocol }) => protocol === "tls:") && { tls: {} }),
    });
  } catch (error) {
    const text = `${description}: ${(error as Error).message}`;
    if (error instanceof nats.AuthorizationError || error instanceof nats.UserAuthenticationExpiredError) {
      throw new PermanentError(`${text}; check the user and password in the servers' URL`, { cause: error });
    }
    throw new Error(text, { cause: error });
  }
}

async function ensureStream(
  { jetstream }: NatsModules,
  manager: JetStreamManager,
  { stream, prefix, maxAgeMs, replicas }: NatsSettings,
  description: string,
): Promise<void> {
  const subjects = [`${prefix}.>`];
  try {
    const { config } = await manager.streams.info(stream);
    if (config.subjects?.includes(subjects[0] as string)) return;
    throw new PermanentError(
      `${description}: the stream ${stream} has the subjects ${config.subjects?.join(", ")}; add ${subjects[0]}, or name another stream`,
    );
  } catch (error) {
    if (!(error instanceof jetstream.JetStreamApiError) || error.code !== streamNotFound) throw error;
  }
  const config: Partial<StreamConfig> & { name: string } = {
    name: stream,
    subjects,
    retention: jetstream.RetentionPolicy.Limits,
    storage: jetstream.StorageType.File,
    // A full stream rejects new events, so that they stay in the outbox, instead of dropping the oldest.
    discard: jetstream.DiscardPolicy.New,
    max_age: maxAgeMs * nanosPerMs,
    duplicate_window: Math.min(duplicateWindowMs, maxAgeMs) * nanosPerMs,
    num_replicas: replicas,
  };
  await manager.streams.add(config);
}

function withoutSecrets(server: string): string {
  return server.replace(/^[a-z]+:\/\//, "").replace(/^[^@]*@/, "");
}
