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
    .description("look into backups, compare them, keep and delete them")
    .exitOverride();
  const add = (name: string, description: string): Command =>
    snapshot.command(name).description(description).exitOverride();
  const commands = () => import("./snapshot.ts");

  const list = add("list", "list snapshots, newest first");
  list
    .option("--filter <text>", "such as 'source=\"/home/ada\" AND tags.kind=weekly'")
    .option("--limit <count>", "at most so many (default: 50)")
    .action(run<SnapshotListOptions>(async (...call) => (await commands()).listSnapshots(...call), list));
  const show = add("show", "print one snapshot");
  show
    .argument("<uuid>")
    .action((uuid: string) =>
      run<CommonOptions>(async (...call) => (await commands()).showSnapshot(uuid, ...call), show)(),
    );
  const ls = add("ls", "list what a folder of a snapshot has");
  ls.argument("<uuid>")
    .argument("[path]", "relative to the source", "")
    .option("-R, --recursive", "what is inside of folders as well")
    .action((uuid: string, path: string) =>
      run<EntriesOptions>(async (...call) => (await commands()).listEntries(uuid, path, ...call), ls)(),
    );
  const find = add("find", "list the snapshots in which a path changed, newest first");
  find
    .argument("<path>", "relative to the source")
    .action((path: string) =>
      run<CommonOptions>(async (...call) => (await commands()).findVersions(path, ...call), find)(),
    );
  const diff = add("diff", "compare two snapshots: + added, - removed, M content, U attributes only");
  diff
    .argument("<base>")
    .argument("<other>")
    .argument("[path]", "inside of this path only", "")
    .action((base: string, other: string, path: string) =>
      run<CommonOptions>(async (...call) => (await commands()).diffSnapshots(base, other, path, ...call), diff)(),
    );
  const cat = add("cat", "write the content of one file to standard output");
  cat
    .argument("<uuid>")
    .argument("<path>", "relative to the source")
    .action((uuid: string, path: string) =>
      run<CommonOptions>(async (...call) => (await commands()).catFile(uuid, path, ...call), cat)(),
    );
  const explore = add("explore", "look around in a snapshot: ls, cd, cat, find");
  explore
    .argument("<uuid>")
    .action((uuid: string) =>
      run<CommonOptions>(async (...call) => (await import("./explore.ts")).explore(uuid, ...call), explore)(),
    );

  for (const [name, pinned, description] of [
    ["pin", true, "keep a snapshot from being deleted"],
    ["unpin", false, "let a snapshot be deleted again"],
  ] as const) {
    const pin = add(name, description);
    pin
      .argument("<uuid>")
      .action((uuid: string) =>
        run<CommonOptions>(async (...call) => (await commands()).pinSnapshot(uuid, pinned, ...call), pin)(),
      );
  }
  const tag = add("tag", "set tags of a snapshot, and remove those without a value");
  tag
    .argument("<uuid>")
    .argument("<tags...>", "NAME=VALUE, or NAME= to remove it")
    .action((uuid: string, tags: string[]) =>
      run<CommonOptions>(async (...call) => (await commands()).tagSnapshot(uuid, tags, ...call), tag)(),
    );
  const keep = add("keep", "take back that retention deletes a snapshot");
  keep
    .argument("<uuid>")
    .action((uuid: string) =>
      run<CommonOptions>(async (...call) => (await commands()).keepSnapshot(uuid, ...call), keep)(),
    );
  const remove = add("delete", "delete a snapshot with its archive");
  remove
    .argument("<uuid>")
    .action((uuid: string) =>
      run<CommonOptions>(async (...call) => (await commands()).deleteSnapshot(uuid, ...call), remove)(),
    );
}

export function addRegistryCommands(program: Command, run: WithOutput): void {
  const registry = program
    .command("registry")
    .description("names for sources and destinations, engines, and archives from elsewhere")
    .exitOverride();
  const add = (name: string, description: string): Command =>
    registry.command(name).description(description).exitOverride();
  const commands = () => import("./registry.ts");

  const sources = add("sources", "list the sources that have a name");
  sources.action(run<CommonOptions>(async (...call) => (await commands()).listSources(...call), sources));
  const addSource = add("add-source", "give a source a name: backup -s NAME");
  addSource
    .argument("<name>")
    .argument("<path>")
    .option("--exclude <pattern...>", "leave this out; patterns as in .gitignore")
    .option("--one-file-system", "leave out what is mounted inside")
    .action((name: string, path: string) =>
      run<AddSourceOptions>(async (...call) => (await commands()).addSource(name, path, ...call), addSource)(),
    );
  const destinations = add("destinations", "list the destinations that have a name");
  destinations.action(
    run<CommonOptions>(async (...call) => (await commands()).listDestinations(...call), destinations),
  );
  const addDestination = add("add-destination", "give a folder for archives, or a repository, a name: backup -d NAME");
  addDestination
    .argument("<name>")
    .argument("<place>", "a folder, or restic:REPOSITORY")
    .option("--template <name>", "how archives are named (default: {name}-{date}-{time}.tar.zst)")
    .option("--append", "keep all backups of a source in one .wim file, {name}.wim")
    .option("--secret <reference>", "the password of a repository: file:PATH, or env:NAME of the daemon")
    .action((name: string, folder: string) =>
      run<AddDestinationOptions>(
        async (...call) => (await commands()).addDestination(name, folder, ...call),
        addDestination,
      )(),
    );
  const remove = add("remove", "forget the source or destination of a name; files are kept");
  remove
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).removeItem(name, ...call), remove)(),
    );
  const engines = add("engines", "list the engines, and whether they work on the daemon's machine");
  engines.action(run<CommonOptions>(async (...call) => (await commands()).listEngines(...call), engines));
  const test = add("test", "write, read, list and remove a file or a snapshot in a destination");
  test
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).testDestination(name, ...call), test)(),
    );
  const imports = add("import", "add archives and repositories to the catalogue, for example after it was lost");
  imports
    .argument("<archives...>", "files, or restic:REPOSITORY")
    .action((archives: string[]) =>
      run<CommonOptions>(async (...call) => (await commands()).importArchives(archives, ...call), imports)(),
    );

  const send = add("upload", "send an archive to a folder of the daemon's machine");
  send
    .argument("<destination>", "a name of registry destinations")
    .argument("<file>")
    .option("--name <name>", "what it is called there (default: as here)")
    .action((destination: string, file: string) =>
      run<UploadOptions>(async (...call) => (await import("./upload.ts")).upload(destination, file, ...call), send)(),
    );
}

export function addScheduleCommands(program: Command, run: WithOutput): void {
  const schedule = program
    .command("schedule")
    .description("back up again and again, and look at what runs")
    .exitOverride();
  const add = (name: string, description: string): Command =>
    schedule.command(name).description(description).exitOverride();
  const commands = () => import("./schedule.ts");

  const create = add("create", "back up a registered source to a registered destination at certain times");
  addScheduleOptions(
    create
      .argument("<name>")
      .requiredOption("-s, --source <name>", "a name of registry sources")
      .requiredOption("-d, --destination <name>", "a name of registry destinations")
      .requiredOption("--cron <expression>", "minute, hour, day of month, month, day of week, such as '30 2 * * *'"),
  ).action((name: string) =>
    run<ScheduleOptions>(async (...call) => (await commands()).createSchedule(name, ...call), create)(),
  );

  const update = add("update", "change what is named of a schedule, and leave the rest");
  addScheduleOptions(
    update
      .argument("<name>")
      .option("-s, --source <name>", "a name of registry sources")
      .option("-d, --destination <name>", "a name of registry destinations")
      .option("--cron <expression>", "minute, hour, day of month, month, day of week, such as '30 2 * * *'"),
  ).action((name: string) =>
    run<ScheduleOptions>(async (...call) => (await commands()).updateSchedule(name, ...call), update)(),
  );

  const show = add("show", "print everything about one schedule");
  show
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).showSchedule(name, ...call), show)(),
    );

  const list = add("list", "list schedules, with their state and their next run");
  list.action(run<CommonOptions>(async (...call) => (await commands()).listSchedules(...call), list));
  const next = add("next", "print the next times of a schedule");
  next
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).nextTimes(name, ...call), next)(),
    );
  for (const [verb, description] of [
    ["pause", "start no more runs of a schedule"],
    ["resume", "start runs of a schedule again"],
    ["delete", "delete a schedule; its backups are kept"],
  ] as const) {
    const change = add(verb, description);
    change
      .argument("<name>")
      .action((name: string) =>
        run<CommonOptions>(async (...call) => (await commands()).changeSchedule(verb, name, ...call), change)(),
      );
  }
  const start = add("run", "run a schedule now, and follow it to its end");
  start
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).runSchedule(name, ...call), start)(),
    );
  const retention = add("retention", "print which snapshots a schedule keeps, and why");
  retention
    .argument("<name>")
    .action((name: string) =>
      run<CommonOptions>(async (...call) => (await commands()).explainRetention(name, ...call), retention)(),
    );
  const runs = add("runs", "list runs of all jobs, newest first");
  runs
    .option("--filter <text>", "such as 'state = RUN_STATE_FAILED'")
    .option("--limit <count>", "at most so many (default: 20)")
    .action(run<RunListOptions>(async (...call) => (await commands()).listRuns(...call), runs));
  const log = add("log", "print what happened in a run");
  log
    .argument("<run>")
    .action((uuid: string) => run<CommonOptions>(async (...call) => (await commands()).runLog(uuid, ...call), log)());

  const watch = add("watch", "print every change of any run, until Ctrl-C");
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
    .option("--zone <name>", "whose clock counts, such as Europe/Berlin (default: the daemon's)")
    .option("--jitter <duration>", "start each run later by a fixed part of this")
    .option("--max-lateness <duration>", "do not catch up what was missed by more than this")
    .option("--overlap <mode>", "while the last run is not over: skip (default), queue or cancel")
    .option("--catch-up", "run once for all that was missed while the daemon was off (default)")
    .option("--no-catch-up", "do not run what was missed while the daemon was off")
    .option("-c, --compression <type>", "as for backup")
    .option("--keep <rule...>", "such as last=3 daily=7 weekly=4, or all; without rules everything is kept")
    .option("--verify <percent>", "check so much of the newest snapshot every day")
    .option("--drill <expression>", "restore a sample of the newest snapshot at these times")
    .option("--unreadable <mode>", "a path that cannot be read: skip (default) or fail");
}

export function addEnvCommands(program: Command, run: WithOutput): void {
  const env = program
    .command("env")
    .description("what someone who restores must know of the machine, recorded with each backup")
    .exitOverride();
  const add = (name: string, description: string): Command => env.command(name).description(description).exitOverride();
  const commands = () => import("./env.ts");

  const capture = add("capture", "record the environment as it is now");
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
    .argument("[other]", "default: the environment as it is now")
    .action((base: string, other: string | undefined) =>
      run<CommonOptions>(async (...call) => (await commands()).diffEnvs(base, other, ...call), diff)(),
    );
  const write = add("export", "print the variables as text that a program can load");
  write
    .argument("<uuid>")
    .option("--format <format>", "dotenv, sh or json", "dotenv")
    .action((uuid: string) =>
      run<EnvExportOptions>(async (...call) => (await commands()).exportEnv(uuid, ...call), write)(),
    );
  const remove = add("delete", "delete a record that no backup needs");
  remove
    .argument("<uuid>")
    .action((uuid: string) =>
      run<CommonOptions>(async (...call) => (await commands()).deleteEnv(uuid, ...call), remove)(),
    );
}

export function addConfigCommands(program: Command, run: WithOutput): void {
  const config = program.command("config").description("the configuration of daemon and clients").exitOverride();
  const add = (name: string, description: string): Command =>
    config.command(name).description(description).exitOverride();
  const path = add("path", "print where the config is");
  path.action(run(async (...call) => (await import("./config.ts")).configPathCommand(...call), path));
  const show = add("show", "print the config without its secret");
  show.action(run(async (...call) => (await import("./config.ts")).configShow(...call), show));
  const validate = add("validate", "check the config and print every problem with its place");
  validate.action(run(async (...call) => (await import("./config.ts")).configValidate(...call), validate));
  const token = add("token", "print a token for a client that does not know the secret");
  token
    .option("--ttl <duration>", "how long it is good, at most 24h", "1h")
    .option("--role <role>", "reader, operator or admin", "operator")
    .action(run<TokenCommandOptions>(async (...call) => (await import("./config.ts")).configToken(...call), token));
}
