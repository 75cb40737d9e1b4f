import { type Command, Option } from "commander";

/** The options of every command that calls a server. */
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

/** Where a Tercel service listens by default. */
export const defaultTarget = "127.0.0.1:50051";

export function addTargetOptions(command: Command): Command {
  return command
    .optionsGroup("Server:")
    .addOption(
      new Option(
        "--target <target>",
        `server to call: host:port, unix:///path, or discovery:///NAME to look it up in the registry that this folder's configuration names (default: $TERCEL_TARGET, else the service of this folder, else ${defaultTarget})`,
      ),
    )
    .option("--instance <id>", "ID of the instance to call, as the registry lists it; needs discovery:///NAME")
    .option("--authority <name>", "server name for :authority and TLS")
    .option("--tls", "use TLS with the system's certificate authorities")
    .option("--tls-ca <file>", "use TLS and trust only the authorities in this PEM file")
    .option("--tls-cert <file>", "client certificate (PEM)")
    .option("--tls-key <file>", "private key of the client certificate (PEM)")
    .option("--tls-skip-verify", "use TLS and accept any certificate")
    .option(
      "-H, --header <name: value>",
      `header of the call; \${NAME} is replaced by an environment variable (repeatable)`,
      collect,
      [],
    );
}

export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
