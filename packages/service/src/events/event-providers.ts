import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { createChannel } from "@tercel/grpc";
import { check, type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { flag, text, wholeNumber } from "../config/values/basic-values.ts";
import { byteSize } from "../config/values/byte-size.ts";
import { duration } from "../config/values/duration.ts";
import { listenAddress } from "../config/values/listen-address.ts";
import type { Opened, Provider, ProviderHost } from "../provider.ts";
import type { EventBroker } from "./broker/event-broker.ts";
import type { EventHubOptions } from "./hub/event-hub.ts";
import type { EventLogOptions } from "./hub/event-log.ts";

const concern = "events";
const maxEvents = optional(
  wholeNumber(1, 100_000_000, { description: "Maximum number of stored events; further ones are rejected." }),
  1_000_000,
);
const maxBytes = (fallback: string) =>
  optional(
    byteSize({
      min: 1,
      max: 1024 ** 4,
      description: "Maximum total size of stored messages; further ones are rejected.",
    }),
    fallback,
  );

/** `events.providers.memory` */
const memoryConfig = pipe(
  strictObject({ max_events: maxEvents, max_bytes: maxBytes("256MiB") }),
  transform((written) => ({ maxEvents: written.max_events, maxBytes: written.max_bytes })),
);

/** `events.providers.embedded` */
const embeddedConfig = pipe(
  strictObject({
    target: optional(listenAddress({ description: "Address of the process that hosts the hub." }), "127.0.0.1:50049"),
    serve: optional(flag({ description: "Whether this process hosts the hub." }), false),
    path: optional(
      text({ minLength: 1, description: "File of the hub's log, in the process that hosts it." }),
      "data/events.db",
    ),
    max_events: maxEvents,
    max_bytes: maxBytes("1GiB"),
    forget_groups_after: optional(
      duration({
        minMs: 3_600_000,
        description: "Time after which a group without members is removed, with its pending events.",
      }),
      "7d",
    ),
    insecure: optional(
      flag({ description: "Allows other machines to reach the hub, which has no access control." }),
      false,
    ),
  }),
  transform((written) => ({
    host: written.target.host ?? "0.0.0.0",
    port: written.target.port,
    serve: written.serve,
    path: written.path,
    maxEvents: written.max_events,
    maxBytes: written.max_bytes,
    forgetGroupsAfterMs: written.forget_groups_after,
    isInsecure: written.insecure,
  })),
);

const dottedWords = "words with dots between";

/** `events.providers.nats` */
const natsConfig = pipe(
  strictObject({
    url: optional(
      text({
        minLength: 1,
        secret: "url",
        description: "`nats://user:password@host:4222`; several separated by commas.",
      }),
      "nats://127.0.0.1:4222",
    ),
    stream: optional(
      text({
        pattern: /^[A-Za-z0-9_-]+$/,
        expects: "letters, digits, - and _",
        description: "Name of the stream; created if it does not exist.",
      }),
      "TERCEL_EVENTS",
    ),
    prefix: optional(
      pipe(
        text({ pattern: /^[A-Za-z0-9_.-]+$/, expects: dottedWords, description: "Prefix of subjects." }),
        check((prefix) => !prefix.split(".").includes(""), `expected ${dottedWords}`),
      ),
      "tercel.events",
    ),
    max_age: optional(duration({ minMs: 60_000, description: "How long events are stored, handled or not." }), "7d"),
    replicas: optional(wholeNumber(1, 5, { description: "Number of replicas in a cluster." }), 1),
    timeout: optional(duration({ minMs: 1, description: "Timeout of a request to the server." }), "5s"),
  }),
  transform(({ url: urls, max_age: maxAgeMs, timeout: timeoutMs, ...rest }) => ({
    servers: urls.split(",").map((one) => one.trim()),
    maxAgeMs,
    timeoutMs,
    ...rest,
  })),
);

type MemoryConfig = InferOutput<typeof memoryConfig>;
type EmbeddedConfig = InferOutput<typeof embeddedConfig>;
type NatsConfig = InferOutput<typeof natsConfig>;

const memory: Provider<MemoryConfig, EventBroker> = {
  concern,
  type: "memory",
  config: memoryConfig as Provider<MemoryConfig>["config"],
  async open(config, { log, clock }) {
    const hub = await openHub({ path: ":memory:", ...config }, { log, clock, description: "events in memory" });
    return opened(hub, () => hub.close());
  },
};

const embedded: Provider<EmbeddedConfig, EventBroker> = {
  concern,
  type: "embedded",
  config: embeddedConfig as Provider<EmbeddedConfig>["config"],
  open: (config, host) => (config.serve ? serveHub(config, host) : joinHub(config, host)),
};

const nats: Provider<NatsConfig, EventBroker> = {
  concern,
  type: "nats",
  config: natsConfig as Provider<NatsConfig>["config"],
  peer: { name: "@nats-io/transport-node", range: "^3" },
  async open(config, host) {
    const { openNats } = await import("./nats/open-nats.ts");
    const broker = await openNats(config, host);
    return opened(broker, () => broker.close());
  },
};

/** The built-in event brokers. An adapter's packages are loaded when it is opened. */
export const eventProviders: readonly Provider[] = [memory, embedded, nats];

async function serveHub(
  config: EmbeddedConfig,
  { log, clock }: ProviderHost,
): Promise<Opened<EmbeddedConfig, EventBroker>> {
  const { host, port, path, maxEvents, maxBytes: bytes, forgetGroupsAfterMs } = config;
  await mkdir(dirname(path), { recursive: true });
  const { hostHub } = await import("./hub/host-hub.ts");
  const description = `event hub at ${host}:${port}`;
  const hub = await openHub({ path, maxEvents, maxBytes: bytes }, { log, clock, description, forgetGroupsAfterMs });
  try {
    const server = await hostHub(hub, config, { isInsecure: config.isInsecure, log, clock });
    return opened(hub, async () => {
      await server.close();
      await hub.close();
    });
  } catch (error) {
    await hub.close();
    throw error;
  }
}

async function joinHub(
  { host, port }: EmbeddedConfig,
  { log, clock, signal }: ProviderHost,
): Promise<Opened<EmbeddedConfig, EventBroker>> {
  const { createRemoteHub } = await import("./hub/remote-hub.ts");
  const channel = createChannel(`${host}:${port}`, { clock, keepalive: { timeMs: 10_000, timeoutMs: 10_000 } });
  const remote = createRemoteHub({ transport: channel, description: `event hub at ${host}:${port}`, clock, log });
  const close = async (): Promise<void> => {
    await remote.close();
    await channel.close();
  };
  try {
    await remote.check(signal);
  } catch (error) {
    await close();
    throw error;
  }
  return opened(remote, close);
}

async function openHub(log: EventLogOptions, options: EventHubOptions): Promise<EventBroker> {
  const { EventLog } = await import("./hub/event-log.ts");
  const { EventHub } = await import("./hub/event-hub.ts");
  return new EventHub(await EventLog.open(log, options.clock), options);
}

function opened<Config>(broker: EventBroker, close: () => Promise<void>): Opened<Config, EventBroker> {
  return { port: broker, describe: broker.description, check: (signal) => broker.check(signal), close };
}
