import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { MemorySample } from "../memory.ts";
import type { FromServer, ServerActivity, ToServer } from "./server-messages.ts";

const program = join(import.meta.dirname, "main.ts");

export interface ServerProcessOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Files of a key and a certificate: then it listens on a second port, with TLS. */
  readonly tls?: { readonly keyFile: string; readonly certFile: string };
  /** Whether `stop` returns which calls were served. */
  readonly recordsIds?: boolean;
  /** What a unary call costs of its core. With this, load shedding is on. Default: as little as it may. */
  readonly workMs?: number;
}

/** A server in a process of its own. */
export interface ServerProcess {
  readonly port: number;
  readonly tlsPort: number | undefined;
  /** What is under way in it. */
  activity(): Promise<ServerActivity>;
  /** What it holds after a garbage collection, which takes it a while. */
  memory(): Promise<MemorySample>;
  /** Sends SIGTERM, and resolves when the process has drained and ended, to the calls that it served. */
  stop(): Promise<readonly number[]>;
}

export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const { port = 0, tls, recordsIds = false, workMs } = options;
  const args = [`--port=${port}`];
  if (tls !== undefined) args.push(`--tls-key=${tls.keyFile}`, `--tls-cert=${tls.certFile}`);
  if (recordsIds) args.push("--record-ids");
  if (workMs !== undefined) args.push(`--work-ms=${workMs}`);
  const child = fork(program, args, { execArgv: ["--conditions=source", "--expose-gc"] });
  const listening = await next(child, "listening");
  return {
    port: listening.port,
    tlsPort: listening.tlsPort,
    activity() {
      const reply = next(child, "activity");
      child.send("activity" satisfies ToServer);
      return reply;
    },
    async memory() {
      const reply = next(child, "memory");
      child.send("memory" satisfies ToServer);
      return (await reply).memory;
    },
    async stop() {
      const exited = once(child, "exit");
      const served = next(child, "served");
      child.kill("SIGTERM");
      const { ids } = await served;
      await exited;
      return ids;
    },
  };
}

/** The next message of a kind; rejects when the process ends before. */
function next<Kind extends FromServer["kind"]>(child: ChildProcess, kind: Kind) {
  return new Promise<Extract<FromServer, { kind: Kind }>>((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      if ((message as FromServer).kind !== kind) return;
      done();
      resolve(message as Extract<FromServer, { kind: Kind }>);
    };
    const onExit = (code: number | null): void => {
      done();
      reject(new Error(`the server ended with exit code ${code}`));
    };
    const done = (): void => {
      child.off("message", onMessage);
      child.off("exit", onExit);
    };
    child.on("message", onMessage);
    child.on("exit", onExit);
  });
}
