import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { interleave } from "../measure/interleave.ts";
import { median } from "../measure/statistics.ts";
import { readResidentBytes } from "../process/process-usage.ts";
import { gatewaySubjects, type SubjectName } from "./subjects.ts";
import { compare, type Figures, type SubjectFigures } from "./table.ts";
import { heldStream } from "./values.ts";

/** Connections that are held open, and what each has asked for. */
export interface MemoryCase {
  readonly request: string;
  /** The end of what each has to receive before it counts as open. */
  readonly until: RegExp;
  readonly mostKib: number;
}

const subjects: readonly SubjectName[] = ["tercel", "fastify"];
/** Opened before the first reading, so that what a process grows by once does not count. */
const firstConnections = 1000;
const countedConnections = 4000;
/** Fewer than a listener's backlog. */
const openedTogether = 50;
const settleMs = 500;

const head = "host: 127.0.0.1\r\n";

export const memoryCases: Readonly<Record<string, MemoryCase>> = {
  "memory/idle-http1": { request: `GET /v1/users/ada HTTP/1.1\r\n${head}\r\n`, until: /\}\s*$/, mostKib: 10 },
  "memory/idle-sse": {
    request: `GET ${heldStream} HTTP/1.1\r\n${head}accept: text/event-stream\r\n\r\n`,
    until: /data: .*\n\n/,
    mostKib: 8,
  },
};

/** How much a server's resident memory grows for each connection, in a fresh process a round. */
export async function measureMemory({ request, until, mostKib }: MemoryCase, rounds: number): Promise<Figures> {
  const outcomes = await interleave(subjects, rounds, async (subject) => {
    const { prepare, start } = gatewaySubjects[subject];
    await prepare();
    const server = await start(0);
    const sockets: Socket[] = [];
    const open = async (count: number): Promise<void> => {
      for (let opened = 0; opened < count; opened += openedTogether) {
        const some = Array.from({ length: Math.min(openedTogether, count - opened) }, () =>
          connect(server.port, "127.0.0.1"),
        );
        sockets.push(...some);
        await Promise.all(some.map((socket) => ask(socket, request, until)));
      }
      await sleep(settleMs);
    };
    try {
      await open(firstConnections);
      const before = readResidentBytes(server.pid);
      await open(countedConnections);
      server.assertRunning();
      return { value: (readResidentBytes(server.pid) - before) / countedConnections };
    } finally {
      for (const socket of sockets) socket.destroy();
      await server.stop();
    }
  });
  const figures: SubjectFigures[] = [...outcomes].map(([subject, outcome]) =>
    "failure" in outcome
      ? { subject, failure: outcome.failure }
      : { subject, cost: median(outcome.turns.map(({ value }) => value)) / 1024 },
  );
  return { unit: "KiB of memory a connection", mostCost: mostKib, subjects: compare(figures, new Map(), "tercel") };
}

function ask(socket: Socket, request: string, until: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = "";
    const onData = (chunk: Buffer): void => {
      received += chunk.toString("latin1");
      if (!until.test(received)) return;
      socket.off("data", onData);
      socket.resume();
      resolve();
    };
    socket.on("data", onData);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`the server closed a connection after "${received.slice(0, 100)}"`)));
    socket.write(request);
  });
}
