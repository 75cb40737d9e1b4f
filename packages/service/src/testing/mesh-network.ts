import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Clock, ServerOptions } from "@tercel/grpc";
import { type CallRequest, responseWithMessages } from "@tercel/grpc/hooks";
import { pause } from "@tercel/grpc/internal";
import { createInMemoryTransport, type InMemoryTransport } from "@tercel/grpc/testing";
import {
  isAmong,
  type NeighbourName,
  type Neighbours,
  openNeighbourChannel,
  socketless,
} from "../kit/dependencies/neighbours.ts";

/** Quality of the link from one service to another. */
export interface LinkSettings {
  /** One-way latency of each message: chosen between the bounds. */
  readonly latencyMs: readonly [least: number, most: number];
  /** Share of requests and of responses whose connection breaks: the caller gets UNAVAILABLE, even if only the response is lost. */
  readonly lossRate: number;
}

/** An event on the network. */
export interface MeshEvent {
  /** Virtual time since the creation of the mesh, in milliseconds. */
  readonly atMs: number;
  readonly kind: "request" | "request lost" | "response" | "response lost" | "unreachable";
  readonly from: string;
  readonly to: string;
  /** `package.Service/Method`. */
  readonly method: string;
  /** Status of a response: `OK`, or the code of its error. */
  readonly status?: string;
}

/** The network of a mesh. */
export interface MeshNetwork extends Neighbours {
  /** All events in order, except health checks. */
  readonly events: readonly MeshEvent[];
  setLink(from: string, to: string, changed: Partial<LinkSettings>): void;
  /** Cuts all links between two groups, in both directions, until the returned function is called. */
  partition(one: readonly string[], other: readonly string[]): () => void;
}

const healthService = "grpc.health.v1.Health";

/** Creates a network that delays and loses messages, as chosen by `random`. */
export function createMeshNetwork(
  names: readonly NeighbourName[],
  defaults: LinkSettings,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): MeshNetwork {
  const known = new Map(names.map((one) => [one.name, one] as const));
  const startMs = clock.nowMs();
  const events: MeshEvent[] = [];
  const links = new Map<string, LinkSettings>();
  const cuts = new Set<(from: string, to: string) => boolean>();
  const serving = new Map<
    string,
    { readonly options: ServerOptions; readonly transports: Map<string, InMemoryTransport> }
  >();

  const linkOf = (from: string, to: string): LinkSettings => links.get(`${from} ${to}`) ?? defaults;
  const isCut = (from: string, to: string): boolean => [...cuts].some((cut) => cut(from, to));

  /** Sends a message. Resolves to the reason why it did not arrive; undefined when it did. */
  async function travel(from: string, to: string, signal: AbortSignal): Promise<"unreachable" | "lost" | undefined> {
    const { latencyMs, lossRate } = linkOf(from, to);
    const [least, most] = latencyMs;
    await pause(clock, least + random() * (most - least), signal);
    if (signal.aborted) throw signal.reason;
    if (isCut(from, to)) return "unreachable";
    return random() < lossRate ? "lost" : undefined;
  }

  function note(request: CallRequest, from: string, to: string, kind: MeshEvent["kind"], status?: string): void {
    if (request.service.typeName === healthService) return;
    const method = `${request.service.typeName}/${request.method.name}`;
    events.push({ atMs: clock.nowMs() - startMs, kind, from, to, method, ...(status !== undefined && { status }) });
  }

  function linkInterceptor(from: string, to: string): Interceptor {
    async function goBack(request: CallRequest, status: string): Promise<void> {
      const problem = await travel(to, from, request.signal);
      note(request, from, to, problem === undefined ? "response" : "response lost", status);
      if (problem !== undefined) throw broken(from, to);
    }

    async function* delayed<Message>(request: CallRequest, messages: AsyncIterable<Message>): AsyncGenerator<Message> {
      for await (const message of messages) {
        if ((await travel(to, from, request.signal)) !== undefined) {
          note(request, from, to, "response lost");
          throw broken(from, to);
        }
        yield message;
      }
    }

    return (next) => async (request) => {
      const problem = await travel(from, to, request.signal);
      if (problem !== undefined) {
        note(request, from, to, problem === "lost" ? "request lost" : "unreachable");
        throw broken(from, to);
      }
      note(request, from, to, "request");
      let response: Awaited<ReturnType<typeof next>>;
      try {
        response = await next(request);
      } catch (error) {
        await goBack(request, Code[ConnectError.from(error).code] ?? "Unknown");
        throw error;
      }
      if (response.stream) return responseWithMessages(response, delayed(request, response.message));
      await goBack(request, "OK");
      return response;
    };
  }

  function transportOf(from: string, to: string): InMemoryTransport | undefined {
    const server = serving.get(to);
    if (server === undefined) return undefined;
    const open = server.transports.get(from);
    if (open !== undefined) return open;
    const { routes, interceptors = [], ...serverOptions } = socketless(server.options);
    const transport = createInMemoryTransport({
      routes,
      // Compression runs in other threads, whose order does not depend on the seed.
      serverOptions: { ...serverOptions, compressions: [], interceptors: [linkInterceptor(from, to), ...interceptors] },
      channelOptions: { clock },
    });
    server.transports.set(from, transport);
    return transport;
  }

  return {
    events,
    setLink(from, to, changed) {
      links.set(`${from} ${to}`, { ...linkOf(from, to), ...changed });
    },
    partition(one, other) {
      const cut = (from: string, to: string): boolean =>
        (one.includes(from) && other.includes(to)) || (other.includes(from) && one.includes(to));
      cuts.add(cut);
      return () => cuts.delete(cut);
    },
    has: (name, version) => isAmong(known, name, version),
    channel: (from, to, options) => openNeighbourChannel(() => transportOf(from, to), to, options),
    async serve(name, options) {
      const transports = new Map<string, InMemoryTransport>();
      serving.set(name, { options, transports });
      return {
        async close(deadlineMs) {
          serving.delete(name);
          await Promise.all([...transports.values()].map((transport) => transport.close({ deadlineMs })));
        },
      };
    },
    // Traces use real time and real sockets.
    claimTracing: () => false,
  };
}

function broken(from: string, to: string): ConnectError {
  return new ConnectError(`the connection from ${from} to ${to} broke`, Code.Unavailable);
}
