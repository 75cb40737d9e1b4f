import { onStopSignals } from "@tercel/service";
import { readSettings, waysToSet } from "../config/read-settings.ts";
import { joinHostPort, type Settings } from "../config/settings.ts";
import { createJsonLog, describeError, type Log } from "../log/json-log.ts";
import { explainStartFailure } from "./explain-start-failure.ts";
import { onParentStop, reportToParent } from "./parent-messages.ts";

/** A service that listens. */
export interface RunningService {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: { readonly host: string; readonly port: number };
  /** Takes no new calls, lets those under way end, and releases everything. */
  close(): Promise<void>;
}

/** What makes one service differ from another as a program. */
export interface ServiceProgram {
  readonly name: string;
  readonly portSetting: "userPort" | "orderPort";
  start(settings: Settings, log: Log): Promise<RunningService>;
}

/** Runs a service as this process: from the command line to its end by a signal, by the supervisor or by its absence. */
export async function runService({ name, portSetting, start }: ServiceProgram): Promise<void> {
  const request = readSettings(process.argv.slice(2), process.env, process.cwd());
  if (request.kind === "help") {
    process.stdout.write(`${name}\n\n${request.text}\n`);
    return;
  }
  const log = createJsonLog(name);
  // The reader of the log may end first, the supervisor for example; the stop must go on all the same.
  process.stderr.on("error", () => {});
  if (request.kind === "refused") return refuseStart(log, request.problem);
  const { settings } = request;
  process.on("uncaughtException", (error) => {
    log.error("crashed", { error: describeError(error) });
    process.exit(1);
  });
  // Only this user may read the databases and their journals.
  process.umask(0o077);

  let running: RunningService | undefined;
  let stopping = false;
  const stop = async (reason: string) => {
    if (stopping) return;
    stopping = true;
    log.info("stopping", { reason });
    // A stop during the start is carried out once the start is over, below.
    if (running) await endGracefully(running, log);
  };
  onStopSignals({
    stop: (signal) => void stop(signal),
    force: () => {
      log.warn("stopped_by_force");
      process.exit(1);
    },
  });
  onParentStop((reason) => void stop(reason));

  try {
    running = await start(settings, log);
  } catch (error) {
    const problem = explainStartFailure(error, settings.host, settings[portSetting], waysToSet(portSetting));
    return refuseStart(log, problem);
  }
  if (stopping) return endGracefully(running, log);
  const address = joinHostPort(running.address.host, running.address.port);
  log.info("listening", { address, pid: process.pid });
  await reportToParent({ event: "listening", address });
}

async function refuseStart(log: Log, problem: string): Promise<void> {
  log.error("start_failed", { problem });
  await reportToParent({ event: "start_failed", problem });
  // What the failed start had opened, or the channel to the supervisor, would keep the process alive.
  process.exit(1);
}

async function endGracefully(running: RunningService, log: Log): Promise<void> {
  try {
    await running.close();
    log.info("stopped");
    process.exit(0);
  } catch (error) {
    log.error("stop_failed", { error: describeError(error) });
    process.exit(1);
  }
}
