import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import type { DurableFiles } from "../files/durable-files.ts";
import { makeFileOnce, replaceFile } from "../files/replace-file.ts";
import type { Config } from "./config-schema.ts";
import { configPath } from "./data-folder.ts";
import { loadConfig } from "./load-config.ts";
import { prepareFolder, tighten } from "./prepare-folder.ts";

/** The sample secret in the documentation, which is public. */
export const sampleSecret = "secret-key-here";

const secretBytes = 32;

/**
 * Loads the configuration in a folder, or creates one with a new secret. Only this user can read folder and file.
 *
 * @throws ConfigError
 */
export async function prepareConfig(files: DurableFiles, folder: string): Promise<Config> {
  prepareFolder(folder);
  const path = configPath(folder);
  if (!existsSync(path)) await makeFileOnce(files, path, freshConfig());
  tighten(path, 0o600);
  return loadConfig(path);
}

function freshConfig(): string {
  return `environment: production
appID: ${randomUUID()}
appSecret: ${randomBytes(secretBytes).toString("base64url")}
service:
  server:
    port: 52730
    enabled: true
    database: wimbackup.db
  client:
    serverAddress: localhost:52730
    timeout: 30s
`;
}

/** Saves the port of the server and the address for its clients. Comments and other keys stay as they are. */
export async function saveAddress(files: DurableFiles, folder: string, port: number, address: string): Promise<void> {
  const path = configPath(folder);
  const before = readFileSync(path, "utf8");
  const document = parseDocument(before);
  document.setIn(["service", "server", "port"], port);
  document.setIn(["service", "client", "serverAddress"], address);
  const after = document.toString();
  if (after !== before) await replaceFile(files, path, after);
}
