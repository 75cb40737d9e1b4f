import { durationMs } from "@bufbuild/protobuf/wkt";
import { EngineSchema } from "../gen/wimguard/v1/common_pb.ts";
import { formatBytes, formatCount, formatTable } from "../terminal/format.ts";
import type { CommonOptions, Console } from "./console.ts";
import { enumName } from "./enum-name.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit-codes.ts";
import { runToEnd } from "./follow-run.ts";
import { interruptible } from "./interruptible.ts";
import { withDaemon } from "./with-daemon.ts";
import { toAbsolute, toLocation } from "./working-folder.ts";

export interface AddSourceOptions extends CommonOptions {
  readonly exclude?: readonly string[];
  readonly oneFileSystem?: true;
}

export interface AddDestinationOptions extends CommonOptions {
  readonly template?: string;
  readonly append?: true;
  readonly secret?: string;
}

/** `wimguard registry sources`: lists registered sources. */
export async function listSources(options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { sources } = await wim.registry.listSources({ pageSize: 1000 });
    const rows = sources.map((one) => [one.name, one.uuid, one.path, one.excludes.join(" ")]);
    const text = sources.length === 0 ? "no sources yet" : formatTable([["NAME", "UUID", "PATH", "EXCLUDES"], ...rows]);
    const shown = sources.map(({ uuid, name, path, excludes, oneFileSystem }) => ({
      uuid,
      name,
      path,
      excludes,
      oneFileSystem,
    }));
    output.result(text, { sources: shown });
    return exitCodes.ok;
  });
}

/** `wimguard registry add-source NAME PATH`. */
export async function addSource(
  name: string,
  path: string,
  options: AddSourceOptions,
  output: Console,
): Promise<ExitCode> {
  const { exclude = [], oneFileSystem = false } = options;
  const source = { name, path: toAbsolute(path), excludes: [...exclude], oneFileSystem };
  return withDaemon(options, async (wim) => {
    const { uuid } = await wim.registry.createSource({ source });
    output.result(`source ${name} is ${source.path}`, { uuid, ...source });
    return exitCodes.ok;
  });
}

/** `wimguard registry destinations`: lists registered destinations. */
export async function listDestinations(options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { destinations } = await wim.registry.listDestinations({ pageSize: 1000 });
    const shown = destinations.map(({ uuid, name, engine, url, template, freeBytes }) => {
      return { uuid, name, engine: enumName(EngineSchema, engine), url, template, freeBytes: Number(freeBytes) };
    });
    const rows = shown.map((one) => [
      one.name,
      one.uuid,
      one.engine,
      formatBytes(one.freeBytes),
      one.url,
      one.template,
    ]);
    const header = ["NAME", "UUID", "ENGINE", "FREE", "FOLDER", "TEMPLATE"];
    const text = shown.length === 0 ? "no destinations yet" : formatTable([header, ...rows]);
    output.result(text, { destinations: shown });
    return exitCodes.ok;
  });
}

/** `wimguard registry add-destination NAME FOLDER` or `restic:REPOSITORY`. */
export async function addDestination(
  name: string,
  folder: string,
  options: AddDestinationOptions,
  output: Console,
): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const destination = {
      name,
      url: toLocation(folder),
      template: options.template ?? "",
      append: options.append === true,
      secretRef: options.secret === undefined ? "" : toSecretRef(options.secret),
    };
    const { uuid, url, template } = await wim.registry.createDestination({ destination });
    output.result(`destination ${name} is ${url}${template === "" ? "" : `/${template}`}`, {
      uuid,
      name,
      url,
      template,
    });
    return exitCodes.ok;
  });
}

/** Makes the path of a password file absolute, since the daemon has its own working folder. */
function toSecretRef(text: string): string {
  return text.startsWith("file:") ? `file:${toAbsolute(text.slice("file:".length))}` : text;
}

/** `wimguard registry remove NAME`: unregisters a source or destination; its files are kept. */
export async function removeItem(name: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const filter = `name = ${JSON.stringify(name)}`;
    const [{ sources }, { destinations }] = await Promise.all([
      wim.registry.listSources({ filter }),
      wim.registry.listDestinations({ filter }),
    ]);
    const [source, destination] = [sources[0], destinations[0]];
    if (source === undefined && destination === undefined) {
      throw new UsageError(`source or destination ${JSON.stringify(name)} not found`);
    }
    if (source !== undefined) await wim.registry.deleteSource({ uuid: source.uuid, etag: source.etag });
    if (destination !== undefined)
      await wim.registry.deleteDestination({ uuid: destination.uuid, etag: destination.etag });
    output.result(`removed ${name}; files are kept`, { removed: name });
    return exitCodes.ok;
  });
}

/** `wimguard registry engines`: lists the engines and whether they work on the daemon's machine. */
export async function listEngines(options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { engines } = await wim.registry.listEngines({});
    const shown = engines.map(({ engine, available, version, keeps, lacks, installHint, compressions }) => {
      return { engine: enumName(EngineSchema, engine), available, version, keeps, lacks, installHint, compressions };
    });
    const rows = shown.map((one) => [
      one.engine,
      one.available ? one.version : `missing: ${one.installHint}`,
      one.compressions.join(" "),
      one.lacks.join(", "),
    ]);
    output.result(formatTable([["ENGINE", "VERSION", "COMPRESSION", "LACKS"], ...rows]), { engines: shown });
    return exitCodes.ok;
  });
}

/** `wimguard registry test NAME`: writes, reads, lists and removes a file in a destination. */
export async function testDestination(name: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { destinations } = await wim.registry.listDestinations({ filter: `name = ${JSON.stringify(name)}` });
    const [destination] = destinations;
    if (destination === undefined) throw new UsageError(`destination ${JSON.stringify(name)} not found`);
    const { steps } = await wim.registry.testDestination({ uuid: destination.uuid });
    for (const { name: step, ok, took, message } of steps) {
      const tookMs = took === undefined ? 0 : durationMs(took);
      output.line(`${step.padEnd(6)} ${ok ? "ok" : "failed"} ${tookMs} ms ${message}`.trimEnd(), {
        step,
        ok,
        tookMs,
        message,
      });
    }
    return steps.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.failed;
  });
}

/** `wimguard registry import ARCHIVE…`: adds archives to the catalogue. */
export async function importArchives(
  archives: readonly string[],
  options: CommonOptions,
  output: Console,
): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    for (const archive of archives) {
      const location = toLocation(archive);
      const run = await interruptible(
        (signal) => runToEnd(wim.registry.importArchive({ location }, { signal }), output),
        () => output.cancelling(),
      );
      const [files, bytes] = [Number(run.progress?.filesDone ?? 0), Number(run.progress?.bytesDone ?? 0)];
      const text = `imported ${location} as ${run.subjectUuid}: ${formatCount(files, "file")}, ${formatBytes(bytes)}`;
      output.result(text, { uuid: run.subjectUuid, location, files, bytes });
    }
    return exitCodes.ok;
  });
}
