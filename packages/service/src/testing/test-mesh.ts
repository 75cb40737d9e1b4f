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
import type { RunningService } from "../kit/run/running-service.ts";
import { startLoaded } from "../kit/run/start-loaded.ts";
import { createInMemoryServer } from "./in-memory-server.ts";
import { createMeshClock } from "./mesh-clock.ts";
import { createMeshNetwork, type LinkSettings, type MeshEvent } from "./mesh-network.ts";
import { punctualLoop } from "./punctual-loop.ts";
import { createSeededRandom, seedMathRandom } from "./seeded-random.ts";
import { testConfig } from "./test-config.ts";
import { createTestLog } from "./test-log.ts";

/** A service of a mesh. */
export interface MeshService {
  /** Name by which others find it: `client(OrderService, "order-service")`. */
  readonly name: string;
  // Each has its own types of needs and settings, which do not matter here.
  // biome-ignore lint/suspicious/noExplicitAny: no other type accepts definitions of all kinds
  readonly definition: Definition<any, any> | Routes;
  /** Configuration keys, as in `testService`. `service.name` is set to the name above. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface MeshOptions {
  /** Seed that determines all events. Default 1. */
  readonly seed?: number;
  /** One-way latency of a message in virtual milliseconds: a number, or bounds between which the seed chooses. Default 1 to 5. */
  readonly latencyMs?: number | readonly [least: number, most: number];
  /** Share of messages that are lost with their connection. Default 0. */
  readonly lossRate?: number;
  /** Receives each log line with its service. Default: lines are dropped. */
  readonly onLog?: (service: string, line: Readonly<Record<string, unknown>>) => void;
}

/** Several services on an in-memory network with virtual time, which the test advances. */
export interface TestMesh {
  /** Creates a client of one of the services; its calls also travel over the network, from `test`. */
  client<Service extends DescService>(service: Service, name: string): Client<Service>;
  /** Advances virtual time. */
  run(ms: number): Promise<void>;
  /**
   * Advances virtual time until the promise has settled, and returns its result.
   *
   * Rejects as the promise does, and with an Error when it has not settled after ten minutes of virtual time.
   */
  until<Result>(promise: Promise<Result>): Promise<Result>;
  /** All network events in order; the same for the same seed. */
  readonly events: readonly MeshEvent[];
  /** Virtual time since the start, in milliseconds. */
  readonly nowMs: number;
  /** Changes the link from one service, or `test`, to another. */
  setLink(from: string, to: string, changed: Partial<LinkSettings>): void;
  /** Cuts two groups of services off from each other: calls between them fail with UNAVAILABLE. Returns a function that heals the partition. */
  partition(one: readonly string[], other: readonly string[]): () => void;
  /** Returns a random number from 0 to 1 (exclusive) by the seed, for choices of the test. */
  random(): number;
  /** Returns the metrics of a service. */
  metrics(name: string): Registry;
  /** Stops all services, dependencies last. */
  stop(): Promise<void>;
}

const outside = "test";
const maxVirtualMs = 600_000;

/**
 * Starts several services in one process over an in-memory network with latency, loss and partitions, under a seeded scheduler: the same seed gives the
 * same order of events, so that a failing run can be reproduced. Time is virtual, and one event happens at a time.
 *
 * `Math.random` is seeded until the mesh is stopped, so only one mesh can run at a time. Work outside of the thread (files, native cryptography, real
 * sockets) takes real time and is not scheduled: avoid it in reproducible tests.
 *
 * Rejects with the errors of `startService`, and for duplicate names.
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
  // Separate from the network's, so that an additional retry does not change the network's events.
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
      if (registry === undefined) throw new TypeError(`${where}: unknown service ${JSON.stringify(name)}`);
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
    if (known.has(name)) throw new TypeError(`${where}: duplicate or reserved name ${JSON.stringify(name)}`);
    known.add(name);
  }
}

function linkOf(where: string, { latencyMs = [1, 5], lossRate = 0 }: MeshOptions): LinkSettings {
  const bounds = typeof latencyMs === "number" ? ([latencyMs, latencyMs] as const) : latencyMs;
  const [least, most] = bounds;
  if (!(least >= 0 && most >= least && Number.isFinite(most))) {
    throw new RangeError(
      `${where}: invalid latencyMs ${JSON.stringify(latencyMs)}: expected 0 or more, the smaller bound first`,
    );
  }
  if (!(lossRate >= 0 && lossRate <= 1)) {
    throw new RangeError(`${where}: invalid lossRate ${lossRate}: expected 0 to 1`);
  }
  return { latencyMs: bounds, lossRate };
}
