import { readFileSync } from "node:fs";
import { configPath, dataFolder } from "../config/data-folder.ts";
import { loadConfig } from "../config/load-config.ts";
import { mintToken, type Role, roles } from "../token/token.ts";
import type { CommonOptions, Console } from "./console.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit-codes.ts";
import { parseTimeout } from "./with-daemon.ts";

export interface TokenCommandOptions extends CommonOptions {
  readonly ttl: string;
  readonly role: string;
}

/** `wimguard config path`. */
export function configPathCommand(options: CommonOptions, output: Console): ExitCode {
  const path = configPath(dataFolder(options.dir));
  output.result(path, { path });
  return exitCodes.ok;
}

/** Replacement for secrets in output. */
const hidden = "•••";

/** `wimguard config show`: prints the file with its secrets masked. */
export async function configShow(options: CommonOptions, output: Console): Promise<ExitCode> {
  const path = configPath(dataFolder(options.dir));
  const config = await loadConfig(path);
  const apps = config.service.server.apps ?? [];
  const mask = (shown: string, secret: string): string => shown.replaceAll(secret, hidden);
  const shown = [config.appSecret, ...apps.map(({ secret }) => secret)].reduce(mask, readFileSync(path, "utf8"));
  const server = {
    ...config.service.server,
    ...(apps.length > 0 && { apps: apps.map((app) => ({ ...app, secret: hidden })) }),
  };
  const masked = { ...config, appSecret: hidden, service: { ...config.service, server } };
  output.result(shown.trimEnd(), { path, config: masked });
  return exitCodes.ok;
}

/** `wimguard config validate`: prints every problem with its location. */
export async function configValidate(options: CommonOptions, output: Console): Promise<ExitCode> {
  const path = configPath(dataFolder(options.dir));
  await loadConfig(path);
  output.result(`${path} is valid`, { path, valid: true });
  return exitCodes.ok;
}

/** `wimguard config token`: prints a token for a client without the secret. */
export async function configToken(options: TokenCommandOptions, output: Console): Promise<ExitCode> {
  const config = await loadConfig(configPath(dataFolder(options.dir)));
  if (!roles.includes(options.role as Role)) {
    throw new UsageError(`invalid --role ${JSON.stringify(options.role)}: use ${roles.join(", ")}`);
  }
  const ttlMs = parseTimeout(options.ttl);
  const token = await mintToken(config, { role: options.role as Role, ttlMs }).catch((error) => {
    throw new UsageError((error as Error).message);
  });
  output.result(token, { token });
  return exitCodes.ok;
}
