import type { DescService } from "@bufbuild/protobuf";
import type { Client, ConnectRouter } from "@connectrpc/connect";
import { createClient } from "@tercel/grpc";
import { refuseUnknownOptions } from "@tercel/grpc/internal";
import { createFakeClock, createInMemoryTransport, type FakeClock, type InMemoryTransport } from "@tercel/grpc/testing";
import { createRegistry, type Registry } from "@tercel/interceptors/metrics";
import type { ServiceClients } from "../client.ts";
import type { Definition, Needs } from "../kit/definition/definition.ts";
import { loadDefinition } from "../kit/definition/load-definition.ts";
import { normalizeDefinition, type Routes } from "../kit/definition/normalize-definition.ts";
import type { RunningService } from "../kit/run/running-service.ts";
import { startLoaded } from "../kit/run/start-loaded.ts";
import { createInMemoryServer, type InMemoryChannelOptions, type InMemoryServer } from "./in-memory-server.ts";
import { punctualLoop } from "./punctual-loop.ts";
import { testConfig } from "./test-config.ts";
import { createTestLog } from "./test-log.ts";

export interface TestServiceOptions {
  /**
   * Configuration keys, as in `config.yaml`. No file or variable is read. Default: none; needs for a database, a cache or events that it does not mention
   * are met in memory, the database by a real SQLite.
   */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Stubs of the services that `client()` needs, by service name. Default: none; a call without a stub fails. */
  readonly stubs?: Readonly<Record<string, (router: ConnectRouter) => void>>;
  /** Options of the channel of `client`, such as interceptors. */
  readonly channelOptions?: InMemoryChannelOptions;
  /** Default: a fake clock, which the test advances. */
  readonly clock?: FakeClock;
  /** Receives each log line. Default: lines are dropped. */
  readonly onLog?: (line: Readonly<Record<string, unknown>>) => void;
}

/** A service that a test started in memory. */
export interface TestedService extends RunningService {
  /** Creates a client of one of its services, over an in-memory connection. */
  client<Service extends DescService>(service: Service): Client<Service>;
  /** The transport, for metadata and connection failures. */
  readonly transport: InMemoryTransport;
  readonly clock: FakeClock;
  readonly metrics: Registry;
}

/**
 * Starts a service for a test, with the same steps as `startService`, but in memory, without sockets, signals or waiting. Close it with `stop`.
 *
 * Rejects with the errors of `startService`, and for a needed service without a stub.
 */
export async function testService<N extends Needs = Record<never, never>, Settings = unknown>(
  given: Definition<N, Settings> | Routes,
  options: TestServiceOptions = {},
): Promise<TestedService> {
  refuseUnknownOptions("testService", options, ["config", "stubs", "channelOptions", "clock", "onLog"]);
  const definition = normalizeDefinition(given);
  const { clock = createFakeClock(), stubs = {}, channelOptions = {} } = options;
  const loaded = await loadDefinition(definition, {
    file: false,
    overlays: false,
    variables: { NODE_ENV: "test" },
    values: testConfig(definition.needs ?? {}, options.config ?? {}),
  });
  const metrics = createRegistry();
  const log = createTestLog(options.onLog);
  const stubbed = createStubbedClients(stubs, clock);
  let opened: InMemoryServer | undefined;
  try {
    const running = await startLoaded(loaded, {
      log,
      clock,
      metrics,
      shownMetrics: metrics,
      loopDelay: punctualLoop,
      clients: stubbed,
      createServer(serverOptions) {
        const created = createInMemoryServer(serverOptions, { clock, ...channelOptions });
        // The first server is gRPC's; one for the HTTP port may follow.
        opened ??= created;
        return created.server;
      },
    });
    // Created before the service is ready.
    const { transport } = opened as unknown as InMemoryServer;
    return {
      address: running.address,
      health: running.health,
      transport,
      clock,
      metrics,
      client: (service) => createClient(service, transport),
      async stop() {
        const closed = transport.close();
        const outcome = await running.stop();
        await closed;
        await stubbed.close();
        return outcome;
      },
    };
  } catch (error) {
    await opened?.transport.close();
    await stubbed.close();
    throw error;
  }
}

function createStubbedClients(
  stubs: NonNullable<TestServiceOptions["stubs"]>,
  clock: FakeClock,
): ServiceClients & { close(): Promise<void> } {
  const transports = new Map<string, InMemoryTransport>();
  return {
    client(descriptor, service) {
      const routes = stubs[service];
      if (routes === undefined) {
        throw new Error(
          `testService: no stub for "${service}"; pass stubs: { "${service}": (router) => router.service(…) }`,
        );
      }
      const transport =
        transports.get(service) ??
        createInMemoryTransport({ routes, serverOptions: { clock }, channelOptions: { clock } });
      transports.set(service, transport);
      return createClient(descriptor, transport);
    },
    async close() {
      await Promise.all([...transports.values()].map((transport) => transport.close()));
    },
  };
}
