import { setTimeout as sleep } from "node:timers/promises";
import { createServer, type Server } from "@tercel/grpc";
import { createFaultProxy, type FaultProxy, type Faults } from "@tercel/http2/testing";
import { type EchoHandlers, echoRoutes, recordingLog } from "../support/open-echo.ts";

/** What befalls a server, for as long as it lasts. */
export const shocks = ["kill", "reset", "drain", "pause", "slow", "partition"] as const;
export type Shock = (typeof shocks)[number];

const slowLine: Faults = { latencyMs: 30, jitterMs: 30 };
const deadLine: Faults = { after: { bytes: 0, fault: "black hole" } };

/** Calls that no process here took. */
interface Refused {
  count: number;
}

/** A server that callers reach at one address, whatever becomes of the process behind it and the network before it. */
export class ShakenServer {
  readonly proxy: FaultProxy;
  /** No shock is on. */
  isCalm = true;
  private readonly handlers: EchoHandlers;
  private readonly refused: Refused;
  private server: Server;
  /** Every process that there was at this address. */
  private readonly processes: Server[] = [];
  /** Former servers, until they have drained. */
  private readonly closing = new Set<Promise<void>>();

  private constructor(handlers: EchoHandlers, refused: Refused, server: Server, proxy: FaultProxy) {
    this.handlers = handlers;
    this.refused = refused;
    this.server = server;
    this.processes.push(server);
    this.proxy = proxy;
  }

  get endpoint(): string {
    return `127.0.0.1:${this.proxy.address.port}`;
  }

  /**
   * Calls that came here: those that reached a method, whatever became of them, and those over the limit of running handlers,
   * which holds a place until its handler has ended though the client has given the call up.
   */
  get callsSeen(): number {
    return this.processes.reduce((sum, { calls }) => sum + calls.started, this.refused.count);
  }

  static async start(handlers: EchoHandlers): Promise<ShakenServer> {
    const refused: Refused = { count: 0 };
    const server = await listen(handlers, refused);
    const proxy = await createFaultProxy({ target: server.address as NonNullable<Server["address"]> });
    return new ShakenServer(handlers, refused, server, proxy);
  }

  async suffer(shock: Shock, lastsMs: number): Promise<void> {
    this.isCalm = false;
    await this[shock](lastsMs);
    this.isCalm = true;
  }

  async close(): Promise<void> {
    this.proxy.release();
    this.retire(this.server, 0);
    await Promise.all(this.closing);
    await this.proxy.close();
  }

  /** The process is gone without a word, and another one comes later. */
  async kill(lastsMs: number): Promise<void> {
    this.proxy.resetAll();
    this.retire(this.server, 0);
    await sleep(lastsMs);
    this.direct(await listen(this.handlers, this.refused));
  }

  async reset(): Promise<void> {
    this.proxy.resetAll();
  }

  /** Another process stands ready, and the old one lets its calls end: GOAWAY. */
  async drain(): Promise<void> {
    const old = this.server;
    this.direct(await listen(this.handlers, this.refused));
    this.retire(old, 1000);
  }

  async pause(lastsMs: number): Promise<void> {
    this.proxy.hold();
    await sleep(lastsMs);
    this.proxy.release();
  }

  /** For connections that begin while it lasts; those that stand are sent away. */
  async slow(lastsMs: number): Promise<void> {
    this.setLine(slowLine);
    await this.drain();
    await sleep(lastsMs);
    this.setLine({});
    await this.drain();
  }

  /** Nothing arrives, and no one is told. Afterwards the connections that were there are forgotten. */
  async partition(lastsMs: number): Promise<void> {
    this.setLine(deadLine);
    this.proxy.blackHoleAll();
    await sleep(lastsMs);
    this.setLine({});
    this.proxy.resetAll();
  }

  private setLine(faults: Faults): void {
    this.proxy.options.toServer = faults;
    this.proxy.options.toClient = faults;
  }

  private direct(server: Server): void {
    this.server = server;
    this.processes.push(server);
    this.proxy.options.target = server.address as NonNullable<Server["address"]>;
  }

  private retire(server: Server, deadlineMs: number): void {
    const closed = server.close({ deadlineMs });
    this.closing.add(closed);
    closed.then(() => this.closing.delete(closed));
  }
}

async function listen(handlers: EchoHandlers, refused: Refused): Promise<Server> {
  const server = createServer({
    routes: echoRoutes(handlers),
    log: recordingLog().log,
    onLimit: ({ limit }) => {
      if (limit === "streams") refused.count++;
    },
  });
  await server.listen({ port: 0 });
  return server;
}
