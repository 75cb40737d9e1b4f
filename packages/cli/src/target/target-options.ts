import { type Command, Option } from "commander";

/** The options of every command that talks to a server. */
export interface TargetOptions {
  readonly target?: string;
  readonly instance?: string;
  readonly authority?: string;
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsSkipVerify?: boolean;
  readonly header: readonly string[];
}

/** Where a Tercel service listens unless something else is said. */
export const defaultTarget = "127.0.0.1:50051";

export function addTargetOptions(command: Command): Command {
  return command
    .optionsGroup("Server:")
    .addOption(
      new Option(
        "--target <target>",
        `server to call: host:port, unix:///path, or discovery:///NAME for the registry of the configuration in this folder (default: $TERCEL_TARGET, else the service of this folder, else ${defaultTarget})`,
      ),
    )
    .option("--instance <id>", "with discovery:///NAME, the instance to call, by its id in the registry")
    .option("--authority <name>", "name of the server, for :authority and TLS")
    .option("--tls", "use TLS, with the system's certificate authorities")
    .option("--tls-ca <file>", "use TLS, and trust the authorities in this PEM file alone")
    .option("--tls-cert <file>", "certificate to show to the server, PEM")
    .option("--tls-key <file>", "its private key, PEM")
    .option("--tls-skip-verify", "use TLS, and accept any certificate")
    .option(
      "-H, --header <name: value>",
      `header of the call; \${NAME} is filled from the environment (repeatable)`,
      collect,
      [],
    );
}

export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
