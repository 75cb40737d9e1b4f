import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { ServerProcess } from "@tercel/test-support/servers";
import { type DevelopmentToken, type ServiceName, signDevelopmentToken } from "./development-secret.ts";
import { connect, type LooseClient } from "./grpc-client.ts";
import { type HostedInfrastructure, hostInfrastructure } from "./host-infrastructure.ts";
import { endShopProcess, type ShopProcess, startServiceProcess } from "./shop-process.ts";

/** A service of the shop in its own process. */
export interface StartedService {
  readonly process: ShopProcess;
  readonly address: string;
}

export interface BearerHeaders extends Record<string, string> {
  readonly authorization: string;
}

/** Services with one data folder, which find each other, and their clients. `end` ends and removes everything. */
export interface ShopUnderTest {
  readonly dataDir: string;
  /** `security.secret` of every service. */
  readonly secret: string;
  /** The address of the registry. */
  readonly registry: string;
  /** The ports of the registry and the event hub. */
  readonly infrastructure: { readonly registry: number; readonly hub: number };
  /** Ends the registry and the hub. */
  loseInfrastructure(): Promise<void>;
  /** Starts a service on free ports. `set` are keys of its configuration. */
  start(name: ServiceName, set?: readonly string[], env?: Readonly<Record<string, string>>): Promise<StartedService>;
  /** Uses TLS if the certificate of an authority is given. */
  open(service: Parameters<typeof connect>[0], address: string, authority?: Buffer): LooseClient;
  /** Metadata with a token that the services accept in development. */
  tokenOf(role: DevelopmentToken["role"], subject?: string, minutes?: number): Promise<BearerHeaders>;
  /** Writes a file next to the data folder, and returns its path. */
  write(name: string, text: string): string;
  end(): Promise<void>;
}

/**
 * For tests that run side by side, on busy machines: free ports, high rate limits and long timeouts.
 */
export function sideBySide(name: ServiceName): readonly string[] {
  return [
    "service.port=0",
    "monitoring.providers.prometheus.endpoint=127.0.0.1:0",
    "rate_limit.enabled=false",
    ...(name === "user-service" ? ["communication.providers.http.port=0"] : []),
  ];
}

/** User-service without order-service: calls to it fail at once. */
export const alone = ["dependencies.order-service.target=127.0.0.1:1", "dependencies.order-service.required=false"];

/** Returns the settings with which a service finds the others, and they identify it. */
export function serviceVariables(
  dataDir: string,
  hosted: Pick<HostedInfrastructure, "registry" | "hub">,
  secret: string,
): Readonly<Record<string, string>> {
  return {
    SHOP_DATA: dataDir,
    TERCEL__DISCOVERY__PROVIDERS__EMBEDDED__TARGET: hosted.registry,
    TERCEL__EVENTS__PROVIDERS__EMBEDDED__TARGET: hosted.hub,
    TERCEL__SECURITY__SECRET: secret,
  };
}

export function configArguments(name: ServiceName, set: readonly string[]): string[] {
  return [...sideBySide(name), ...set].flatMap((one) => ["--set", one]);
}

export const silentLog = { debug() {}, info() {}, warn() {}, error() {} };

export async function createShopUnderTest(): Promise<ShopUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), "tercel-shop-"));
  const dataDir = join(folder, "data");
  mkdirSync(dataDir, { mode: 0o700 });
  const secret = randomBytes(32).toString("base64");
  const hosted = await hostInfrastructure(dataDir, silentLog);
  let closing: Promise<void> | undefined;
  const closeHosted = () => {
    closing ??= hosted.close();
    return closing;
  };
  const portOf = (address: string) => Number(address.split(":")[1]);
  const processes: ShopProcess[] = [];
  const clients: LooseClient[] = [];
  return {
    dataDir,
    secret,
    registry: hosted.registry,
    infrastructure: { registry: portOf(hosted.registry), hub: portOf(hosted.hub) },
    loseInfrastructure: closeHosted,
    async start(name, set = [], env = {}) {
      const variables = { ...serviceVariables(dataDir, hosted, secret), ...env };
      const process = startServiceProcess(name, configArguments(name, set), variables);
      processes.push(process);
      const { address } = await process.record({ message: "ready" });
      assert.equal(typeof address, "string");
      return { process, address: address as string };
    },
    open(service, address, authority) {
      const client = connect(service, address, authority);
      clients.push(client);
      return client;
    },
    async tokenOf(role, subject = "somebody", minutes = 5) {
      return { authorization: `Bearer ${await signDevelopmentToken(secret, { role, subject, minutes })}` };
    },
    write(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
    async end() {
      for (const client of clients.splice(0)) client.close();
      await Promise.all(processes.splice(0).map(endShopProcess));
      await closeHosted();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Starts a shop and a server that it uses. Both end with the test. */
export async function createShopWith<Server extends ServerProcess>(
  test: TestContext,
  createServer: () => Promise<Server>,
): Promise<{ readonly shop: ShopUnderTest; readonly server: Server }> {
  const server = await createServer();
  const shop = await createShopUnderTest();
  test.after(async () => {
    await shop.end();
    await server.dispose();
  });
  await server.start();
  return { shop, server };
}

/** Returns a function that gets a page of a service: its metrics or its health. */
export async function pagesOf({ process }: StartedService) {
  const { at } = await process.record({ message: "serving pages" });
  const metrics = process
    .records()
    .find(({ message, pages }) => message === "serving pages" && String(pages).includes("/metrics"));
  const base = metrics?.at ?? at;
  return async (path: string) => {
    const response = await fetch(`${base}${path}`);
    return { status: response.status, text: await response.text() };
  };
}
