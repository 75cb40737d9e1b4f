import { Command, CommanderError, Option } from "commander";
import type { BackupOptions } from "./backup.ts";
import type { TokenCommandOptions } from "./config.ts";
import { type CommonOptions, Console } from "./console.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { Interrupted } from "./interruptible.ts";
import type { ListOptions } from "./records.ts";
import type { RestoreOptions } from "./restore.ts";
import type { ServerOptions } from "./server.ts";

// Commands are loaded when they are run: most need a client only, and none of them all.

type Run<Options extends CommonOptions> = (options: Options, output: Console) => Promise<number> | number;

/** Runs one command line and resolves to its exit code. Every failure is printed. */
export async function runCommand(args: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return printUsageError(error, args);
    throw error;
  }
}

/** commander has printed the text; a machine gets its line all the same. */
function printUsageError(error: CommanderError, args: readonly string[]): number {
  if (error.exitCode === 0) return exitCodes.ok;
  if (args.includes("--json")) {
    const message = error.message.replace(/^error: /, "");
    process.stdout.write(`${JSON.stringify({ type: "error", message, exitCode: exitCodes.usage })}\n`);
  }
  return exitCodes.usage;
}

function createProgram(onExit: (code: number) => void): Command {
  const program = new Command("wimguard")
    .description("backs up folders to .tar.zst and .wim files, and restores them")
    .exitOverride()
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
    .option("--json", "print one JSON object a line: progress, warning, summary, error")
    .option("--quiet", "print results and errors only")
    .option("--yes", "do not ask before something is deleted");
  // The command itself has parsed its options, the common ones among them.
  const run =
    <Options extends CommonOptions>(work: Run<Options>, command: Command) =>
    async (): Promise<void> => {
      const options = command.optsWithGlobals() as Options;
      const output = new Console(options);
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
    .requiredOption("-d, --destination <file>", "the archive to write: .tar.zst, .tar or .wim")
    .option(
      "-c, --compression <type>",
      "ZSTD[:1-19] or NONE for tar; LZX, XPRESS, LZMS or NONE for .wim (default: ZSTD:3, LZX)",
    )
    .option("-D, --description <text>", "stored with the backup")
    .action(run<BackupOptions>(async (...call) => (await import("./backup.ts")).backup(...call), backupCommand));

  const restoreCommand = add("restore", "restore a backup, or paths of it, into a new folder");
  restoreCommand
    .argument("<uuid>", "of the backup")
    .argument("[paths...]", "relative to the source (default: everything)")
    .requiredOption("-t, --target <folder>", "a new or empty folder")
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
  addConfigCommands(program, run);
  return program;
}

type WithOutput = <Options extends CommonOptions>(work: Run<Options>, command: Command) => () => Promise<void>;

function addConfigCommands(program: Command, run: WithOutput): void {
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
