import { type Child, startChild } from "./children.ts";
import { pinned } from "./pinned.ts";

/** An echo server in its own process. */
export interface ServerProcess {
  pid: number;
  port: number;
  /** Ends it with SIGTERM, and after five seconds with SIGKILL. Resolves when it has ended. */
  stop(): Promise<void>;
  /** Throws with the end of its output if it has ended. */
  assertRunning(): void;
  /** Calls back with each further line of its stdout. */
  onLine(listener: (line: string) => void): void;
}

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;

/** Starts a server on a free port and one core. Resolves when it has printed its port. */
export async function startServer(command: readonly string[], core: number): Promise<ServerProcess> {
  const child = startChild(pinned(core, [...command, "0"]));
  let hasEnded = false;
  child.ended.then(() => {
    hasEnded = true;
  });
  const port = await announcedPort(child);
  return {
    pid: child.pid,
    port,
    stop: async () => {
      child.kill("SIGTERM");
      const patience = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await child.ended;
      clearTimeout(patience);
    },
    assertRunning: () => {
      if (hasEnded) throw new Error(`the server ${child.epitaph()}`);
    },
    onLine: (listener) => child.onLine(listener),
  };
}

function announcedPort(child: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    const patience = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`the server did not listen within ${START_TIMEOUT_MS / 1000} seconds`));
    }, START_TIMEOUT_MS);
    child.onLine((line) => {
      const port = /^\{"port":(\d+)\}$/.exec(line)?.[1];
      if (port === undefined) return;
      clearTimeout(patience);
      resolve(Number(port));
    });
    child.ended.then(() => {
      clearTimeout(patience);
      reject(new Error(`the server ${child.epitaph()}`));
    });
  });
}
