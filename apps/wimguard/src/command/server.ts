import { dataFolder } from "../config/data-folder.ts";
import { createDaemonLog } from "../daemon/daemon-log.ts";
import { runDaemon } from "../daemon/run-daemon.ts";
import type { CommonOptions, Console } from "./console.ts";
import { UsageError } from "./exit-codes.ts";
import { letYoungSpaceGrow } from "./young-space.ts";

export interface ServerOptions extends CommonOptions {
  readonly port?: string;
  readonly host?: string;
  readonly socket?: string;
  readonly insecure?: true;
}

const maxPort = 65_535;

/** `wimguard server`: runs the daemon until a signal stops it. */
export async function server(options: ServerOptions, output: Console): Promise<number> {
  const { host, socket } = options;
  const port = options.port === undefined ? undefined : parsePort(options.port);
  // A reader of the log that exits first must not end the daemon.
  process.stderr.on("error", () => {});
  process.stdout.on("error", () => {});
  // Only this user may read the catalogue and the manifests.
  process.umask(0o077);
  const outcome = await runDaemon({
    folder: dataFolder(options.dir),
    ...(port !== undefined && { port }),
    ...(host !== undefined && { host }),
    ...(socket !== undefined && { socket }),
    isInsecure: options.insecure === true,
    log: createDaemonLog((line) => void process.stderr.write(line)),
    onListening(address) {
      letYoungSpaceGrow();
      output.result(`listening on ${address}`, { address, pid: process.pid });
    },
  });
  return outcome.exitCode;
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= maxPort) return port;
  throw new UsageError(
    `invalid --port ${JSON.stringify(text)}: use a number from 0 to ${maxPort}; 0 chooses a free port`,
  );
}
