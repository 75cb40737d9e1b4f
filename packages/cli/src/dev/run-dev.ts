import { join } from "node:path";
import { Writable } from "node:stream";
import type { Log } from "@tercel/grpc";
import type { ServiceConfig } from "@tercel/service";
import { onNpmEnd } from "@tercel/service/internal";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { Output } from "../frame/output.ts";
import type { Build } from "./builds/build.ts";
import { followBuilds } from "./builds/follow-builds.ts";
import { readBuilds } from "./builds/read-builds.ts";
import { DevService } from "./dev-service.ts";
import { type DevEvent, lifeEvent } from "./events/dev-event.ts";
import { EventSocket } from "./events/event-socket.ts";
import { findServices, type ServiceProject, selectServices } from "./find-services.ts";
import { LocalEngines } from "./local-engines.ts";
import { DevPrinter } from "./output/dev-printer.ts";
import { LineSplitter } from "./output/line-splitter.ts";
import type { ServiceStatus } from "./output/status-lines.ts";
import type { DevSurroundings } from "./plan-start.ts";
import { PortChoice } from "./port-choice.ts";
import { type GivenSetting, loadFolderConfig, readSettings, settingsFor } from "./service-config.ts";
import { startOrder } from "./start-order.ts";
import { StateFolder } from "./state-folder.ts";
import { followProtos, protoFolders } from "./watch/follow-protos.ts";
import { watchServices } from "./watch/watch-services.ts";

/** The options of the command line, as commander names them. */
export interface DevOptions {
  readonly only?: boolean;
  readonly set: readonly string[];
  readonly envFile?: string;
  readonly inspect?: boolean;
  readonly watch: boolean;
}

const ownName = "tercel";

/** `tercel dev` */
export async function runDev(names: readonly string[], options: DevOptions, context: CommandContext): Promise<void> {
  const given = readSettings(options.set);
  const found = await readServices(findServices(context.cwd), given, options.envFile, context);
  const selected = selectServices(found, names, options.only === true, ({ dependencies }) => dependencies);
  refuseUnknownServices(given, found);
  const serviceFolders = selected.map(({ folder }) => folder);
  const known = found.map(({ name }) => name);
  const builds = readBuilds([context.cwd, ...serviceFolders], context.cwd, known);

  const services: DevService[] = [];
  const statuses = (): readonly ServiceStatus[] => services.map(({ status }) => status);
  let events: EventSocket | undefined;
  const publish = (made: () => readonly DevEvent[]): void => events?.publish(made);
  const printer = new DevPrinter(context, [...selected.map(({ name }) => name), ownName], statuses, publish);
  const state = new StateFolder(context.cwd);
  events = await openEvents(state, statuses, printer);
  const stopping = new AbortController();
  const signal = AbortSignal.any([context.signal, stopping.signal]);
  let broken: string | undefined;
  const onState = (name: string): void => {
    printer.refresh();
    writeRecord(state, services, events?.path);
    const status = statuses().find((one) => one.name === name);
    if (status !== undefined) publish(() => [lifeEvent(status, Date.now())]);
    const isBroken = status?.state === "broken";
    // Without a watch, nothing can repair it.
    if (isBroken && !options.watch) {
      broken ??= name;
      stopping.abort();
    }
  };
  const engines = new LocalEngines(join(state.path, "events.db"), printerLog(printer));
  const around: DevSurroundings = {
    context,
    envFile: options.envFile,
    isInspected: options.inspect === true,
    given,
    ports: new PortChoice(),
    engines,
    state,
  };
  for (const one of selected) services.push(new DevService(one, around, printer, () => onState(one.name)));
  const killAll = (): void => {
    for (const service of services) service.kill();
  };
  // A second Ctrl-C ends this program; no service must outlive it.
  process.once("exit", killAll);
  const ends: (() => void)[] = [
    () => process.off("exit", killAll),
    // npm's shell does not forward SIGTERM, and a killed npm sends no signal.
    onNpmEnd(() => stopping.abort()),
  ];
  try {
    const printing = contextFor(printer, context, signal);
    await followProtos(protoFolders(serviceFolders, context.cwd), options.watch, printing);
    const { isForeign, stop } = await followBuilds(builds, options.watch, printing, (build) =>
      restartReaders(build, services),
    );
    ends.push(stop);
    if (options.watch) ends.push(watchServices(services, context.cwd, isForeign));
    signal.addEventListener("abort", () => printer.note(ownName, "stopping; press Ctrl-C again to exit at once"), {
      once: true,
    });
    const unfinished = await runInOrder(services, selected, signal);
    if (broken !== undefined) throw new CommandFailure(exitCodes.failed, `${broken} failed to start`);
    if (unfinished.length > 0) {
      throw new CommandFailure(exitCodes.failed, `killed because they did not stop in time: ${unfinished.join(", ")}`);
    }
  } finally {
    stopping.abort();
    for (const end of ends) end();
    await engines.close();
    state.removeRecord(process.pid);
    printer.close();
    await events?.close();
  }
}

/** A service with its configuration. */
interface SelectedService extends ServiceProject {
  /** Undefined if it cannot be read. */
  readonly config: ServiceConfig<unknown> | undefined;
  /** Names of the services of this run that it depends on. */
  readonly dependencies: readonly string[];
}

/** Reads the services. Their names come from their configuration, since others depend on them by that name. */
async function readServices(
  projects: readonly ServiceProject[],
  given: readonly GivenSetting[],
  envFile: string | undefined,
  context: CommandContext,
): Promise<readonly SelectedService[]> {
  const read = await Promise.all(
    projects.map(async (project) => {
      return { ...project, config: await readConfig(project, { settings: given, envFile, context }) };
    }),
  );
  const configured = read.map(({ config }) => config?.service.name);
  const named = read.map((one, at) => {
    const name = configured[at];
    const isOwn =
      name !== undefined && name !== defaultServiceName && configured.indexOf(name) === configured.lastIndexOf(name);
    return isOwn ? { ...one, name } : one;
  });
  return named.map((one) => ({ ...one, dependencies: (one.config?.dependencies ?? []).map(({ name }) => name) }));
}

/**
 * Reads a configuration; undefined if it is invalid, which the start of the service reports.
 *
 * @throws CommandFailure when only the settings of the command line make it invalid, which no change of a file would fix
 */
async function readConfig(
  { name, folder }: ServiceProject,
  { settings, ...sources }: { settings: readonly GivenSetting[]; envFile: string | undefined; context: CommandContext },
): Promise<ServiceConfig<unknown> | undefined> {
  const load = (set: readonly string[]) => loadFolderConfig({ folder, ...sources }, set);
  const set = settingsFor(name, settings);
  try {
    return (await load(set)).value;
  } catch (error) {
    if (set.length === 0 || (await load([]).catch(() => undefined)) === undefined) return undefined;
    throw error;
  }
}

/** The name of a service whose configuration has none. */
const defaultServiceName = "service";

function refuseUnknownServices(given: readonly GivenSetting[], services: readonly ServiceProject[]): void {
  const names = given.flatMap(({ service }) => service ?? []);
  if (names.length > 0) selectServices(services, names, true, () => []);
}

/** Restarts the services that read the output of a build when they start. */
function restartReaders({ output, restart }: Build, services: readonly DevService[]): void {
  for (const service of services) if (restart.includes(service.project.name)) service.change([output]);
}

/** Starts each service when its dependencies listen. Resolves, when all have ended, to those that were killed. */
async function runInOrder(
  services: readonly DevService[],
  selected: readonly SelectedService[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const byName = new Map(services.map((service) => [service.project.name, service]));
  const waits = startOrder(selected);
  const outcomes = services.map(async (service) => {
    const { name } = service.project;
    await Promise.all((waits.get(name) ?? []).map((dependency) => byName.get(dependency)?.startedOnce));
    return (await service.run(signal)) ? [] : [name];
  });
  return (await Promise.all(outcomes)).flat();
}

/** Opens the event socket; undefined if the file system does not support sockets, since services run without it. */
async function openEvents(
  state: StateFolder,
  statuses: () => readonly ServiceStatus[],
  printer: DevPrinter,
): Promise<EventSocket | undefined> {
  try {
    return await EventSocket.open(state.path, () => statuses().map((status) => lifeEvent(status, Date.now())));
  } catch (error) {
    printer.note(ownName, `cannot open the event socket for other programs: ${(error as Error).message}`);
    return undefined;
  }
}

function writeRecord(state: StateFolder, services: readonly DevService[], socket: string | undefined): void {
  state.writeRecord({
    version: 1,
    pid: process.pid,
    ...(socket !== undefined && { socket }),
    services: services.map(({ project: { name, folder }, target }) => ({
      name,
      folder,
      ...(target !== undefined && { target }),
    })),
  });
}

/** Returns a log that prints only warnings and errors of the registry and the hub. */
function printerLog(printer: DevPrinter): Log {
  const write = (message: string): void => printer.note(ownName, message);
  return { debug() {}, info() {}, warn: write, error: write };
}

/** Returns a context whose notes are printed among those of the services. */
function contextFor(printer: DevPrinter, context: CommandContext, signal: AbortSignal): CommandContext {
  const lines = new LineSplitter((line) => printer.note(ownName, line));
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      lines.push(text);
      done();
    },
  });
  const { stdout, env, cwd } = context;
  return {
    get stdin() {
      return context.stdin;
    },
    stdout,
    stderr: new Output(stream),
    env,
    cwd,
    signal,
  };
}
