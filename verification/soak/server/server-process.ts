import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { MemorySample } from "../memory.ts";
import type { FromServer, ServerActivity, ToServer } from "./server-messages.ts";

const program = join(import.meta.dirname, "main.ts");

export interface ServerProcessOptions {
  /** Default: a free port. */
  readonly port?: number;
  /** The files of a key and a certificate. With them it also listens on a second port with TLS. */
  readonly tls?: { readonly keyFile: string; readonly certFile: string };
  /** Whether `stop` returns the served calls. */
  readonly recordsIds?: boolean;
  /** The CPU time of a unary call. It turns load shedding on. Default: no additional time. */
  readonly workMs?: number;
}

/** A server in its own process. */
export interface ServerProcess {
  readonly port: number;
  readonly tlsPort: number | undefined;
  /** Resolves to the number of running handlers and streams. */
  activity(): Promise<ServerActivity>;
  /** Resolves to its memory after a garbage collection. */
  memory(): Promise<MemorySample>;
  /** Sends SIGTERM. Resolves to the served calls when the process has drained and ended. */
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

/** Resolves to the next message of a kind. Rejects if the process ends before. */
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
