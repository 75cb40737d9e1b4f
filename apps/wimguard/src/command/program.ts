import { Command, CommanderError, Option } from "commander";
import type { BackupOptions } from "./backup.ts";
import type { CheckOptions } from "./check.ts";
import { type CommandIo, type CommonOptions, Console } from "./console.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import {
  addConfigCommands,
  addEnvCommands,
  addRegistryCommands,
  addScheduleCommands,
  addSnapshotCommands,
  type Run,
} from "./groups.ts";
import { Interrupted } from "./interruptible.ts";
import type { ListOptions } from "./records.ts";
import type { RestoreOptions } from "./restore.ts";
import type { ServerOptions } from "./server.ts";

// Commands are loaded when they are run: most need a client only, and none of them all.

const processIo: CommandIo = { out: process.stdout, err: process.stderr };

/** Runs one command line and resolves to its exit code. Every failure is printed. */
export async function runCommand(args: readonly string[], io: CommandIo = processIo): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = createProgram((code) => {
    exitCode = code;
  }, io);
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return printUsageError(error, args, io);
    throw error;
  }
}

/** commander has printed the text; a machine gets its line all the same. */
function printUsageError(error: CommanderError, args: readonly string[], { out }: CommandIo): number {
  if (error.exitCode === 0) return exitCodes.ok;
  if (args.includes("--json")) {
    const message = error.message.replace(/^error: /, "");
    out.write(`${JSON.stringify({ type: "error", message, exitCode: exitCodes.usage })}\n`);
  }
  return exitCodes.usage;
}

/** An option that a variable sets as well, to anything but nothing. */
function flagOption(flag: string, description: string, variable: string): Option {
  return new Option(flag, description).env(variable);
}

function createProgram(onExit: (code: number) => void, io: CommandIo): Command {
  const program = new Command("wimguard")
    .description("backs up folders to .tar.zst and .wim files and to restic repositories, and restores them")
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.out.write(text), writeErr: (text) => void io.err.write(text) })
    .showHelpAfterError("(wimguard --help lists the commands)")
    .addOption(
      new Option("--server <address>", "the daemon, as host:port or unix:/path (default: the config's)").env(
        "WIMGUARD_SERVER",
      ),
    )
    .addOption(
      new Option("--timeout <duration>", "for connecting and single calls, such as 30s (default: the config's)").env(
        "WIMGUARD_TIMEOUT",
      ),
    )
    .addOption(new Option("--dir <folder>", "the folder of config and catalogue").env("WIMGUARD_DIR"))
    .addOption(flagOption("--json", "print one JSON object a line: progress, warning, summary, error", "WIMGUARD_JSON"))
    .addOption(flagOption("--quiet", "print results and errors only", "WIMGUARD_QUIET"))
    .addOption(flagOption("--yes", "do not ask before something is deleted", "WIMGUARD_YES"));
  // The command itself has parsed its options, the common ones among them.
  const run =
    <Options extends CommonOptions>(work: Run<Options>, command: Command) =>
    async (): Promise<void> => {
      const options = command.optsWithGlobals() as Options;
      const output = new Console(options, io);
      try {
        onExit(await work(options, output));
      } catch (error) {
        output.error(error);
        onExit(error instanceof Interrupted ? error.exitCode : exitCodeOf(error));
      }
    };
  const add = (name: string, description: string): Command =>
    program.command(name).description(description).exitOverride();

  const serverCommand = add("server", "run the daemon");
  serverCommand
    .option("-p, --port <port>", "listen on this port and save it in the config")
    .option("--host <host>", "listen on this address (default: the config's, 127.0.0.1)")
    .option("--socket <path>", "listen on a Unix socket too, for this user without a token")
    .option("--insecure", "listen beyond this machine without TLS, behind a proxy for example")
    .action(run<ServerOptions>(async (...call) => (await import("./server.ts")).server(...call), serverCommand));

  const backupCommand = add("backup", "back up a folder or file");
  backupCommand
    .requiredOption("-s, --source <path>", "what to back up")
    .requiredOption("-d, --destination <file>", "the archive to write: .tar.zst, .tar or .wim; or restic:REPOSITORY")
    .option(
      "-c, --compression <type>",
      "ZSTD[:1-19] or NONE for tar; LZX, XPRESS, LZMS or NONE for .wim; AUTO, OFF or MAX for restic (default: ZSTD:3, LZX, AUTO)",
    )
    .option("-D, --description <text>", "stored with the backup")
    .option("--tag <name=value...>", "tags of the snapshot")
    .option("--exclude <pattern...>", "leave this out; patterns as in .gitignore")
    .option("--unreadable <mode>", "a path that cannot be read: skip (default) or fail")
    .option("--detach", "print the uuid of the run and leave; schedule watch and schedule cancel are for it")
    .action(run<BackupOptions>(async (...call) => (await import("./backup.ts")).backup(...call), backupCommand));

  const restoreCommand = add("restore", "restore a backup, or paths of it, into a folder");
  restoreCommand
    .argument("<uuid>", "of the backup")
    .argument("[paths...]", "relative to the source (default: everything)")
    .requiredOption("-t, --target <folder>", "a new or empty folder, unless --conflict says otherwise")
    .option("--conflict <mode>", "for a path that the target has: fail, skip, if-changed or overwrite", "fail")
    .option("--delete-extra", "remove what the backup does not have from the target")
    .option("--plan", "print what would be done, and do nothing")
    .option("--verify", "compare what was restored with the manifest")
    .option("--skip-owner", "do not restore owners")
    .action((uuid: string, paths: string[]) =>
      run<RestoreOptions>(
        async (options, output) => (await import("./restore.ts")).restore(uuid, paths, options, output),
        restoreCommand,
      )(),
    );

  const listCommand = add("list", "list backups, newest first");
  listCommand
    .option("--limit <count>", "at most so many (default: 20)")
    .option("--offset <count>", "leave the first ones out")
    .action(run<ListOptions>(async (...call) => (await import("./records.ts")).list(...call), listCommand));

  const getCommand = add("get", "print one backup");
  getCommand
    .argument("<uuid>")
    .action((uuid: string) =>
      run<CommonOptions>(
        async (options, output) => (await import("./records.ts")).get(uuid, options, output),
        getCommand,
      )(),
    );

  const deleteCommand = add("delete", "delete backups with their archives");
  deleteCommand
    .argument("<uuid...>")
    .action((uuids: string[]) =>
      run<CommonOptions>(
        async (options, output) => (await import("./records.ts")).remove(uuids, options, output),
        deleteCommand,
      )(),
    );

  const healthCommand = add("health", "ask whether the daemon is serving");
  healthCommand.action(run(async (...call) => (await import("./records.ts")).health(...call), healthCommand));
  const checkCommand = add("check", "prove that a snapshot is as it was backed up, or that it can be restored");
  checkCommand
    .argument("[uuid]", "of the snapshot (default: the newest; with --drill an older one too)")
    .option("--data <percent>", "read so much of the data; 0% looks at the structure only (default: 100%)")
    .option("--drill", "restore a sample, compare it, and remove it")
    .action((uuid: string | undefined) =>
      run<CheckOptions>(
        async (options, output) => (await import("./check.ts")).check(uuid, options, output),
        checkCommand,
      )(),
    );
  addSnapshotCommands(program, run);
  const statsCommand = add("stats", "print what all runs come to");
  statsCommand.action(
    run<CommonOptions>(async (...call) => (await import("./schedule.ts")).statistics(...call), statsCommand),
  );
  addScheduleCommands(program, run);
  addRegistryCommands(program, run);
  addEnvCommands(program, run);
  addConfigCommands(program, run);
  return program;
}
