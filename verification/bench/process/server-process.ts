import { type Child, startChild } from "./children.ts";
import { pinned } from "./pinned.ts";

/** An echo server in a process of its own. */
export interface ServerProcess {
  pid: number;
  port: number;
  /** Ends it with SIGTERM, after five seconds with SIGKILL; resolves when it is gone. */
  stop(): Promise<void>;
  /** Fails with the server's last output when it has ended. */
  assertRunning(): void;
  /** Each whole line of its stdout from now on. */
  onLine(listener: (line: string) => void): void;
}

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;

/** Starts a server on a free port and one core; resolves when it has printed the port it listens on. */
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
