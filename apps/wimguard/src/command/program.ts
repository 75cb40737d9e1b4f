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

// Commands are loaded when they run: most need only a client.

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

/** Prints a usage error as JSON with --json; commander has printed the text. */
function printUsageError(error: CommanderError, args: readonly string[], { out }: CommandIo): number {
  if (error.exitCode === 0) return exitCodes.ok;
  if (args.includes("--json")) {
    const message = error.message.replace(/^error: /, "");
    out.write(`${JSON.stringify({ type: "error", message, exitCode: exitCodes.usage })}\n`);
  }
  return exitCodes.usage;
}

/** Creates an option that a non-empty environment variable also sets. */
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
      new Option("--server <address>", "address of the daemon: host:port or unix:/path (default: from the config)").env(
        "WIMGUARD_SERVER",
      ),
    )
    .addOption(
      new Option(
        "--timeout <duration>",
        "timeout for connecting and for unary calls, such as 30s (default: from the config)",
      ).env("WIMGUARD_TIMEOUT"),
    )
    .addOption(new Option("--dir <folder>", "folder of the config and the catalogue").env("WIMGUARD_DIR"))
    .addOption(
      flagOption("--json", "print JSON objects, one per line: progress, warning, summary, error", "WIMGUARD_JSON"),
    )
    .addOption(flagOption("--quiet", "print only results and errors", "WIMGUARD_QUIET"))
    .addOption(flagOption("--yes", "do not ask for confirmation", "WIMGUARD_YES"));
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
    .option("--host <host>", "listen on this address (default: from the config, else 127.0.0.1)")
    .option("--socket <path>", "also listen on a Unix socket, on which this user needs no token")
    .option("--insecure", "listen on other interfaces without TLS, for example with a TLS proxy in front")
    .action(run<ServerOptions>(async (...call) => (await import("./server.ts")).server(...call), serverCommand));

  const backupCommand = add("backup", "back up a folder or file");
  backupCommand
    .requiredOption("-s, --source <path>", "folder or file to back up, or the name of a registered source")
    .requiredOption(
      "-d, --destination <file>",
      "archive to write (.tar.zst, .tar or .wim), restic:REPOSITORY, or the name of a registered destination",
    )
    .option(
      "-c, --compression <type>",
      "compression: ZSTD[:1-19] or NONE for tar; LZX, XPRESS, LZMS or NONE for .wim; AUTO, OFF or MAX for restic (default: ZSTD:3, LZX, AUTO)",
    )
    .option("-D, --description <text>", "description stored with the backup")
    .option("--tag <name=value...>", "tags of the snapshot")
    .option("--exclude <pattern...>", "exclude paths; patterns as in .gitignore")
    .option("--unreadable <mode>", "what to do with an unreadable path: skip (default) or fail")
    .option(
      "--detach",
      "print the uuid of the run and exit; follow it with schedule watch, cancel it with schedule cancel",
    )
    .action(run<BackupOptions>(async (...call) => (await import("./backup.ts")).backup(...call), backupCommand));

  const restoreCommand = add("restore", "restore a backup, or paths of it, into a folder");
  restoreCommand
    .argument("<uuid>", "uuid of the backup")
    .argument("[paths...]", "paths relative to the source (default: everything)")
    .requiredOption("-t, --target <folder>", "folder to restore into; must be new or empty unless --conflict is set")
    .option(
      "--conflict <mode>",
      "what to do with existing paths in the target: fail, skip, if-changed or overwrite",
      "fail",
    )
    .option("--delete-extra", "delete paths in the target that the backup does not contain")
    .option("--plan", "print what would be restored and change nothing")
    .option("--verify", "compare the restored files with the manifest")
    .option("--skip-owner", "do not restore owners")
    .action((uuid: string, paths: string[]) =>
      run<RestoreOptions>(
        async (options, output) => (await import("./restore.ts")).restore(uuid, paths, options, output),
        restoreCommand,
      )(),
    );

  const listCommand = add("list", "list backups, newest first");
  listCommand
    .option("--limit <count>", "maximum number of backups (default: 20)")
    .option("--offset <count>", "number of backups to skip")
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

  const deleteCommand = add("delete", "delete backups and their archives");
  deleteCommand
    .argument("<uuid...>")
    .action((uuids: string[]) =>
      run<CommonOptions>(
        async (options, output) => (await import("./records.ts")).remove(uuids, options, output),
        deleteCommand,
      )(),
    );

  const healthCommand = add("health", "check whether the daemon is serving");
  healthCommand.action(run(async (...call) => (await import("./records.ts")).health(...call), healthCommand));
  const checkCommand = add("check", "verify the data of a snapshot, or that it can be restored");
  checkCommand
    .argument("[uuid]", "uuid of the snapshot (default: the newest; with --drill also an older one)")
    .option("--data <percent>", "percentage of the data to read; 0% checks only the structure (default: 100%)")
    .option("--drill", "restore a sample, compare it with the manifest and remove it")
    .action((uuid: string | undefined) =>
      run<CheckOptions>(
        async (options, output) => (await import("./check.ts")).check(uuid, options, output),
        checkCommand,
      )(),
    );
  addSnapshotCommands(program, run);
  const statsCommand = add("stats", "print statistics of all runs");
  statsCommand.action(
    run<CommonOptions>(async (...call) => (await import("./schedule.ts")).statistics(...call), statsCommand),
  );
  addScheduleCommands(program, run);
  addRegistryCommands(program, run);
  addEnvCommands(program, run);
  addConfigCommands(program, run);
  return program;
}
