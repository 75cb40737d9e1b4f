import type { Command } from "commander";
import type { TokenCommandOptions } from "./config.ts";
import type { CommonOptions, Console } from "./console.ts";
import type { EnvExportOptions } from "./env.ts";
import type { AddDestinationOptions, AddSourceOptions } from "./registry.ts";
import type { RunListOptions } from "./schedule.ts";
import type { ScheduleOptions } from "./schedule-input.ts";
import type { EntriesOptions, SnapshotListOptions } from "./snapshot.ts";
import type { UploadOptions } from "./upload.ts";

export type Run<Options extends CommonOptions> = (options: Options, output: Console) => Promise<number> | number;

/** Runs a command with its options and somewhere to print. */
type WithOutput = <Options extends CommonOptions>(work: Run<Options>, command: Command) => () => Promise<void>;

export function addSnapshotCommands(program: Command, run: WithOutput): void {
  const snapshot = program
    .command("snapshot")
    .description("inspect, compare, keep and delete snapshots")
    .exitOverride();
  const add = (name: string, description: string): Command =>
    snapshot.command(name).description(description).exitOverride();
  const commands = () => import("./snapshot.ts");

  const list = add("list", "list snapshots, newest first");
  list
    .option("--filter <text>", "filter, such as 'source=\"/home/ada\" AND tags.kind=weekly'")
    .option("--limit <count>", "maximum number of snapshots (default: 50)")
    .action(run<SnapshotListOptions>(async (...call) => (await commands()).listSnapshots(...call), list));
  const show = add("show", "print one snapshot");
  show
    .argument("<uuid>")
    .action((uuid: string) =>
      run<CommonOptions>(async (...call) => (await commands()).showSnapshot(uuid, ...call), show)(),
    );
  const ls = add("ls", "list the entries of a folder in a snapshot");
  ls.argument("<uuid>")
    .argument("[path]", "path relative to the source", "")
    .option("-R, --recursive", "include the contents of subfolders")
    .action((uuid: string, path: string) =>
      run<EntriesOptions>(async (...call) => (await commands()).listEntries(uuid, path, ...call), ls)(),
    );
  const find = add("find", "list the snapshots in which a path changed, newest first");
  find
    .argument("<path>", "path relative to the source")
    .action((path: string) =>
      run<CommonOptions>(async (...call) => (await commands()).findVersions(path, ...call), find)(),
    );
  const diff = add("diff", "compare two snapshots: + added, - removed, M content, U attributes only");
  diff
    .argument("<base>")
    .argument("<other>")
    .argument("[path]", "compare only this path and what is below it", "")
    .action((base: string, other: string, path: string) =>
      run<CommonOptions>(async (...call) => (await commands()).diffSnapshots(base, other, path, ...call), diff)(),
    );
  const cat = add("cat", "write the contents of a file to standard output");
  cat
    .argument("<uuid>")
    .argument("<path>", "path relative to the source")
    .action((uuid: string, path: string) =>
      run<CommonOptions>(async (...call) => (await commands()).catFile(uuid, path, ...call), cat)(),
    );
  const explore = add("explore", "explore a snapshot interactively: ls, cd, cat, find");
  explore
    .argument("<uuid>")
    .action((uuid: string) =>
      run<CommonOptions>(async (...call) => (await import("./explore.ts")).explore(uuid, ...call), explore)(),
    );

  for (const [name, pinned, description] of [
    ["pin", true, "protect a snapshot from deletion"],
    ["unpin", false, "allow the deletion of a snapshot again"],
  ] as const) {
    const pin = add(name, description);
    pin
      .argument("<uuid>")
      .action((uuid: string) =>
        run<CommonOptions>(async (...call) => (await commands()).pinSnapshot(uuid, pinned, ...call), pin)(),
      );
  }
  const tag = add("tag", "set or remove tags of a snapshot");
  tag
    .argument("<uuid>")
    .argument("<tags...>", "NAME=VALUE, or NAME= to remove the tag")
    .action((uuid: string, tags: string[]) =>
      run<CommonOptions>(async (...call) => (await commands()).tagSnapshot(uuid, tags, ...call), tag)(),
    );
  const keep = add("keep", "keep a snapshot that retention is about to delete");
  keep
    .argument("<uuid>")
    .action((uuid: string) =>
      run<CommonOptions>(async (...call) => (await commands()).keepSnapshot(uuid, ...call), keep)(),
    );
  const remove = add("delete", "delete a snapshot and its archive");
  remove
    .argument("<uuid>")
    .action((uuid: string) =>
      run<CommonOptions>(async (...call) => (await commands()).deleteSnapshot(uuid, ...call), remove)(),
    );
}

export function addRegistryCommands(program: Command, run: WithOutput): void {
  const registry = program
    .command("registry")
    .description("manage sources and destinations, list engines, import and upload archives")
    .exitOverride();
  const add = (name: string, description: string): Command =>
    registry.command(name).description(description).exitOverride();
  const commands = () => import("./registry.ts");

  const sources = add("sources", "list the registered sources");
  sources.action(run<CommonOptions>(async (...call) => (await commands()).listSources(...call), sources));
  const addSource = add("add-source", "register a source under a name, for backup -s NAME");
  addSource
    .argument("<name>")
    .argument("<path>")
    .option("--exclude <pattern...>", "exclude paths; patterns as in .gitignore")
    .option("--one-file-system", "exclude the contents of other file systems mounted below the source")
    .action((name: string, path: string) =>
      run<AddSourceOptions>(async (...call) => (await commands()).addSource(name, path, ...call), addSource)(),
    );
  const destinations = add("destinations", "list the registered destinations");
  destinations.action(
    run<CommonOptions>(async (...call) => (await commands()).listDestinations(...call), destinations),
  );
  const addDestination = add("add-destination", "register a folder or repository under a name, for backup -d NAME");
  addDestination
    .argument("<name>")
    .argument("<place>", "folder, or restic:REPOSITORY")
    .option("--template <name>", "template of archive names (default: {name}-{date}-{time}.tar.zst)")
    .option("--append", "keep all backups of a source in one .wim file, {name}.wim")
    .option(
      "--secret <reference>",
      "source of the repository's password: file:PATH, or env:NAME in the daemon's environment",
    )
    .action((name: string, folder: string) =>
      run<AddDestinationOptions>(
        async (...call) => (await commands()).addDestination(name, folder, ...call),
        addDestination,
      )(),
    );
  const remove = add("remove", "unregister a source or destination; its files are kept");
  remove
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).removeItem(name, ...call), remove)(),
    );
  const engines = add("engines", "list the engines and whether they work on the daemon's machine");
  engines.action(run<CommonOptions>(async (...call) => (await commands()).listEngines(...call), engines));
  const test = add("test", "test a destination: write, read, list and remove a file or snapshot");
  test
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).testDestination(name, ...call), test)(),
    );
  const imports = add("import", "add existing archives and repositories to the catalogue, for example after its loss");
  imports
    .argument("<archives...>", "archive files, or restic:REPOSITORY")
    .action((archives: string[]) =>
      run<CommonOptions>(async (...call) => (await commands()).importArchives(archives, ...call), imports)(),
    );

  const send = add("upload", "send an archive to a registered folder on the daemon's machine");
  send
    .argument("<destination>", "name of a registered destination")
    .argument("<file>")
    .option("--name <name>", "file name at the destination (default: the same)")
    .action((destination: string, file: string) =>
      run<UploadOptions>(async (...call) => (await import("./upload.ts")).upload(destination, file, ...call), send)(),
    );
}

export function addScheduleCommands(program: Command, run: WithOutput): void {
  const schedule = program.command("schedule").description("manage schedules and their runs").exitOverride();
  const add = (name: string, description: string): Command =>
    schedule.command(name).description(description).exitOverride();
  const commands = () => import("./schedule.ts");

  const create = add("create", "create a schedule that backs up a registered source to a registered destination");
  addScheduleOptions(
    create
      .argument("<name>")
      .requiredOption("-s, --source <name>", "name of a registered source")
      .requiredOption("-d, --destination <name>", "name of a registered destination")
      .requiredOption("--cron <expression>", "minute, hour, day of month, month, day of week, such as '30 2 * * *'"),
  ).action((name: string) =>
    run<ScheduleOptions>(async (...call) => (await commands()).createSchedule(name, ...call), create)(),
  );

  const update = add("update", "change the given settings of a schedule and keep the others");
  addScheduleOptions(
    update
      .argument("<name>")
      .option("-s, --source <name>", "name of a registered source")
      .option("-d, --destination <name>", "name of a registered destination")
      .option("--cron <expression>", "minute, hour, day of month, month, day of week, such as '30 2 * * *'"),
  ).action((name: string) =>
    run<ScheduleOptions>(async (...call) => (await commands()).updateSchedule(name, ...call), update)(),
  );

  const show = add("show", "print the settings and state of a schedule");
  show
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).showSchedule(name, ...call), show)(),
    );

  const list = add("list", "list schedules with their state and next run");
  list.action(run<CommonOptions>(async (...call) => (await commands()).listSchedules(...call), list));
  const next = add("next", "print the next run times of a schedule");
  next
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).nextTimes(name, ...call), next)(),
    );
  for (const [verb, description] of [
    ["pause", "stop starting runs of a schedule"],
    ["resume", "resume the runs of a schedule"],
    ["delete", "delete a schedule; its backups are kept"],
  ] as const) {
    const change = add(verb, description);
    change
      .argument("<name>")
      .action((name: string) =>
        run<CommonOptions>(async (...call) => (await commands()).changeSchedule(verb, name, ...call), change)(),
      );
  }
  const start = add("run", "run a schedule now and wait for its end");
  start
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).runSchedule(name, ...call), start)(),
    );
  const retention = add("retention", "print which snapshots the retention keeps, and why");
  retention
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).explainRetention(name, ...call), retention)(),
    );
  const runs = add("runs", "list runs of all jobs, newest first");
  runs
    .option("--filter <text>", "filter, such as 'state = RUN_STATE_FAILED'")
    .option("--limit <count>", "maximum number of runs (default: 20)")
    .action(run<RunListOptions>(async (...call) => (await commands()).listRuns(...call), runs));
  const log = add("log", "print the log of a run");
  log
    .argument("<run>")
    .action((uuid: string) => run<CommonOptions>(async (...call) => (await commands()).runLog(uuid, ...call), log)());

  const watch = add("watch", "print changes of all runs until Ctrl-C");
  watch.action(run<CommonOptions>(async (...call) => (await commands()).watchRuns(...call), watch));
  const cancel = add("cancel", "cancel a run");
  cancel
    .argument("<run>")
    .action((uuid: string) =>
      run<CommonOptions>(async (...call) => (await commands()).cancelRun(uuid, ...call), cancel)(),
    );
}

function addScheduleOptions(command: Command): Command {
  return command
    .option("--zone <name>", "time zone of the schedule, such as Europe/Berlin (default: the daemon's)")
    .option(
      "--jitter <duration>",
      "delay each run by a fixed part of this duration, to spread the load of several schedules",
    )
    .option("--max-lateness <duration>", "do not catch up on a run that is later than this")
    .option("--overlap <mode>", "what to do while the previous run continues: skip (default), queue or cancel")
    .option("--catch-up", "run once after missed runs, when the daemon was off (default)")
    .option("--no-catch-up", "do not run after missed runs")
    .option("-c, --compression <type>", "compression, as for backup")
    .option("--keep <rule...>", "retention rules, such as last=3 daily=7 weekly=4, or all (default: keep everything)")
    .option("--verify <percent>", "percentage of the newest snapshot to verify every day")
    .option("--drill <expression>", "cron expression of drills, which restore a sample of the newest snapshot")
    .option("--unreadable <mode>", "what to do with an unreadable path: skip (default) or fail");
}

export function addEnvCommands(program: Command, run: WithOutput): void {
  const env = program
    .command("env")
    .description("records of the machine's environment, which each backup stores for a restore")
    .exitOverride();
  const add = (name: string, description: string): Command => env.command(name).description(description).exitOverride();
  const commands = () => import("./env.ts");

  const capture = add("capture", "record the current environment");
  capture.action(run<CommonOptions>(async (...call) => (await commands()).captureEnv(...call), capture));
  const list = add("list", "list records, newest first");
  list.action(run<CommonOptions>(async (...call) => (await commands()).listEnvs(...call), list));
  const show = add("show", "print one record");
  show
    .argument("<uuid>")
    .action((uuid: string) => run<CommonOptions>(async (...call) => (await commands()).showEnv(uuid, ...call), show)());
  const diff = add("diff", "compare two records");
  diff
    .argument("<base>")
    .argument("[other]", "record to compare with (default: the current environment)")
    .action((base: string, other: string | undefined) =>
      run<CommonOptions>(async (...call) => (await commands()).diffEnvs(base, other, ...call), diff)(),
    );
  const write = add("export", "print the variables in a format that programs can load");
  write
    .argument("<uuid>")
    .option("--format <format>", "output format: dotenv, sh or json", "dotenv")
    .action((uuid: string) =>
      run<EnvExportOptions>(async (...call) => (await commands()).exportEnv(uuid, ...call), write)(),
    );
  const remove = add("delete", "delete a record that no backup refers to");
  remove
    .argument("<uuid>")
    .action((uuid: string) =>
      run<CommonOptions>(async (...call) => (await commands()).deleteEnv(uuid, ...call), remove)(),
    );
}

export function addConfigCommands(program: Command, run: WithOutput): void {
  const config = program
    .command("config")
    .description("show and validate the configuration, and mint tokens")
    .exitOverride();
  const add = (name: string, description: string): Command =>
    config.command(name).description(description).exitOverride();
  const path = add("path", "print the path of the config");
  path.action(run(async (...call) => (await import("./config.ts")).configPathCommand(...call), path));
  const show = add("show", "print the config without its secret");
  show.action(run(async (...call) => (await import("./config.ts")).configShow(...call), show));
  const validate = add("validate", "validate the config and print every problem with its location");
  validate.action(run(async (...call) => (await import("./config.ts")).configValidate(...call), validate));
  const token = add("token", "print a token for a client without the secret");
  token
    .option("--ttl <duration>", "lifetime of the token, at most 24h", "1h")
    .option("--role <role>", "role of the token: reader, operator or admin", "operator")
    .action(run<TokenCommandOptions>(async (...call) => (await import("./config.ts")).configToken(...call), token));
}
