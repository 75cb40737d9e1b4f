import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type WimGuard } from "../../src/client/connect.ts";
import { createDaemonLog } from "../../src/daemon/daemon-log.ts";
import { runDaemon } from "../../src/daemon/run-daemon.ts";
import { afterwards, type CleanupContext } from "./cleanup.ts";
import { type DaemonFolders, makeFolders } from "./daemon-process.ts";
import { LineLog } from "./line-log.ts";

/** A daemon in the test's own process: it starts in a fraction of the time of one that has a process of its own. */
export interface DaemonInProcess {
  readonly address: string;
  readonly client: WimGuard;
  readonly folders: DaemonFolders;
  readonly log: LineLog;
  /** Stops it, as a signal does. */
  stop(): Promise<void>;
}

export interface InProcessStart {
  readonly folders?: DaemonFolders;
  /** Lines below `service.server` of its config. */
  readonly server?: string;
}

/** Starts a daemon on a free port and connects to it. It ends with the test at the latest. */
export async function startInProcess(
  context: CleanupContext,
  { folders = makeFolders(context), server }: InProcessStart = {},
): Promise<DaemonInProcess> {
  if (server !== undefined) writeConfig(folders.data, server);
  const log = new LineLog();
  const stopping = new AbortController();
  const listening = Promise.withResolvers<string>();
  const ended = runDaemon({
    folder: folders.data,
    port: 0,
    log: createDaemonLog((line) => log.add(line)),
    onListening: listening.resolve,
    signal: stopping.signal,
  });
  ended.catch(listening.reject);
  const stop = async (): Promise<void> => {
    stopping.abort("the test has ended");
    await ended;
  };
  afterwards(context, stop);
  const address = await listening.promise;
  const client = await connect(address, { folder: folders.data });
  afterwards(context, () => client.close());
  return { address, client, folders, log, stop };
}

export function writeConfig(data: string, server: string): void {
  const text = `appID: test\nappSecret: a secret for a test\nservice:\n  server:\n    port: 0\n${server}  client: {}\n`;
  writeFileSync(join(data, "config.yaml"), text, { mode: 0o600 });
}
