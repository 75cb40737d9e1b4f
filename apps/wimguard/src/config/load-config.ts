import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { ConfigError, loadConfig as loadByKit } from "@tercel/service/config";
import { type Config, configSchema } from "./config-schema.ts";

/**
 * Loads a configuration file. `WIMGUARD__SERVICE__SERVER__PORT=1` sets `service.server.port`, and `${VAR}` is replaced.
 *
 * @throws ConfigError with every problem and its location, `config.yaml:7:5: …`
 */
export async function loadConfig(path: string): Promise<Config> {
  if (!existsSync(path)) {
    throw new ConfigError([{ message: `no config at ${path}: run "wimguard server" once, or pass --dir` }]);
  }
  const sources = { folder: dirname(path), file: basename(path), overlays: false, envPrefix: "WIMGUARD" } as const;
  return (await loadByKit(configSchema, sources)).value;
}
