import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { createClient } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { createRegistry, type Registry } from "@tercel/interceptors/metrics";
import type { Definition } from "../kit/definition/definition.ts";
import { loadDefinition } from "../kit/definition/load-definition.ts";
import { normalizeDefinition, type Routes } from "../kit/definition/normalize-definition.ts";
import type { NeighbourChannel, NeighbourName } from "../kit/dependencies/neighbours.ts";
import { orderByNeeds } from "../kit/dependencies/order-by-needs.ts";
import { type RunningService, startLoaded } from "../kit/run/start-service.ts";
import { createInMemoryServer } from "./in-memory-server.ts";
import { createMeshClock } from "./mesh-clock.ts";
import { createMeshNetwork, type LinkSettings, type MeshEvent } from "./mesh-network.ts";
import { punctualLoop } from "./punctual-loop.ts";
import { createSeededRandom, seedMathRandom } from "./seeded-random.ts";
import { testConfig } from "./test-config.ts";
import { createTestLog } from "./test-log.ts";

/** A service of a mesh. */
export interface MeshService {
  /** Under which the others find it: `client(OrderService, "order-service")`. */
  readonly name: string;
  // Each has its own needs and settings, and what they are does not matter here.
  // biome-ignore lint/suspicious/noExplicitAny: no other type takes definitions of all kinds
  readonly definition: Definition<any, any> | Routes;
  /** Keys of its configuration, as in `testService`. `service.name` is the name above. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface MeshOptions {
  /** What happens is a function of this. Default 1. */
  readonly seed?: number;
  /** How long a message takes one way, in virtual time: a number, or bounds between which the seed chooses. Default 1 to 5. */
  readonly latencyMs?: number | readonly [least: number, most: number];
  /** The share of messages that are lost with their connection. Default 0. */
  readonly lossRate?: number;
  /** Gets each log line, with the service that wrote it. Default: they are dropped. */
  readonly onLog?: (service: string, line: Readonly<Record<string, unknown>>) => void;
}

/** Several services on a network in memory, whose time stands still until the test moves it. */
export interface TestMesh {
  /** A client of one of the services, from outside: its calls travel over the network as well, from `test`. */
  client<Service extends DescService>(service: Service, name: string): Client<Service>;
  /** Lets virtual time pass. */
  run(ms: number): Promise<void>;
  /**
   * Lets virtual time pass until the promise has settled, and returns it.
   *
   * Rejects as it does, and with an Error when it has not settled after ten minutes of virtual time.
   */
  until<Result>(promise: Promise<Result>): Promise<Result>;
  /** What has happened on the network, in order: the same for the same seed. */
  readonly events: readonly MeshEvent[];
  /** Milliseconds of virtual time since the beginning. */
  readonly nowMs: number;
  /** Changes the way from one service to another, `test` among them. */
  setLink(from: string, to: string, changed: Partial<LinkSettings>): void;
  /** Cuts two groups of services off from each other: calls between them fail with UNAVAILABLE. What is returned heals it. */
  partition(one: readonly string[], other: readonly string[]): () => void;
  /** From 0 up to 1, by the seed: for what the test itself chooses. */
  random(): number;
  /** Of one of the services. */
  metrics(name: string): Registry;
  /** Stops all services, those that others need last. */
  stop(): Promise<void>;
}

const outside = "test";
const maxVirtualMs = 600_000;

/**
 * Starts several services in one process over a network in memory with latency, loss and partitions, under a scheduler that a seed decides: the same seed
 * gives the same order of events, so that a failing run can be repeated. Time is virtual, and one thing happens at a time.
 *
 * `Math.random` follows the seed until the mesh is stopped, so there is one mesh at a time. What leaves the thread (files, native cryptography, real
 * sockets) takes real time and is outside of the scheduler: keep it out of what has to repeat.
 *
 * Rejects with what `startService` rejects with, and for two services of one name.
 */
export async function testMesh(services: readonly MeshService[], options: MeshOptions = {}): Promise<TestMesh> {
  const where = "testMesh";
  refuseUnknownOptions(where, options, ["seed", "latencyMs", "lossRate", "onLog"]);
  checkWholeNumber(where, "seed", options.seed, 0, 0xffff_ffff);
  const { seed = 1, onLog } = options;
  const loaded = await Promise.all(services.map(loadMember));
  const names = loaded.map(({ config }): NeighbourName => config.service);
  checkNames(where, names);
  const random = createSeededRandom(seed);
  const clock = createMeshClock(random);
  const network = createMeshNetwork(names, linkOf(where, options), { clock, random });
  // Apart from the network's, so that one more retry does not change what the network does.
  const unseed = seedMathRandom(createSeededRandom(seed ^ 0x5eed));
  const running: RunningService[] = [];
  const channels: NeighbourChannel[] = [];
  const metrics = new Map<string, Registry>();
  const startMs = clock.nowMs();

  async function until<Result>(promise: Promise<Result>): Promise<Result> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    settled.catch(() => {});
    const limitMs = clock.nowMs() + maxVirtualMs;
    await clock.settle();
    while (!isSettled) {
      if (await clock.step(limitMs)) continue;
      await clock.settle();
      if (!isSettled) throw new Error(`${where}: not settled after ${maxVirtualMs / 60_000} minutes of virtual time`);
    }
    return settled;
  }

  async function stop(): Promise<void> {
    try {
      for (const service of running.splice(0).reverse()) await until(service.stop());
      await until(Promise.all(channels.splice(0).map((channel) => channel.close())));
    } finally {
      unseed();
    }
  }

  try {
    const ordered = orderByNeeds(
      loaded.map((one) => ({ one, name: one.config.service.name, needs: one.definition.needs ?? {} })),
    );
    for (const { one, name } of ordered) {
      const registry = createRegistry();
      metrics.set(name, registry);
      const log = createTestLog(onLog && ((line) => onLog(name, line)));
      const starting = startLoaded(one, {
        log,
        clock,
        metrics: registry,
        shownMetrics: registry,
        loopDelay: punctualLoop,
        neighbours: network,
        createServer: (serverOptions) => createInMemoryServer(serverOptions, { clock }).server,
      });
      running.push(await until(starting));
    }
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    client(service, name) {
      const channel = network.channel(outside, name, { clock });
      channels.push(channel);
      return createClient(service, channel);
    },
    async run(ms) {
      const untilMs = clock.nowMs() + ms;
      while (await clock.step(untilMs));
    },
    until,
    events: network.events,
    get nowMs() {
      return clock.nowMs() - startMs;
    },
    setLink: network.setLink,
    partition: network.partition,
    random,
    metrics(name) {
      const registry = metrics.get(name);
      if (registry === undefined) throw new TypeError(`${where}: there is no service ${JSON.stringify(name)}`);
      return registry;
    },
    stop,
  };
}

function loadMember({ name, definition: given, config = {} }: MeshService) {
  const definition = normalizeDefinition(given);
  const service = { ...(config.service as object | undefined), name };
  return loadDefinition(definition, {
    file: false,
    overlays: false,
    variables: { NODE_ENV: "test" },
    values: testConfig(definition.needs ?? {}, { ...config, service }),
  });
}

function checkNames(where: string, names: readonly NeighbourName[]): void {
  const known = new Set([outside]);
  for (const { name } of names) {
    if (known.has(name))
      throw new TypeError(`${where}: ${JSON.stringify(name)} is the name of another one in the mesh`);
    known.add(name);
  }
}

function linkOf(where: string, { latencyMs = [1, 5], lossRate = 0 }: MeshOptions): LinkSettings {
  const bounds = typeof latencyMs === "number" ? ([latencyMs, latencyMs] as const) : latencyMs;
  const [least, most] = bounds;
  if (!(least >= 0 && most >= least && Number.isFinite(most))) {
    throw new RangeError(
      `${where}: latencyMs is ${JSON.stringify(latencyMs)}; it has to be from 0 on, the smaller bound first`,
    );
  }
  if (!(lossRate >= 0 && lossRate <= 1)) {
    throw new RangeError(`${where}: lossRate is ${lossRate}; it has to be from 0 to 1`);
  }
  return { latencyMs: bounds, lossRate };
}
