import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DevelopmentToken, signDevelopmentToken, type TokenRole } from "../src/service/development-tokens.ts";
import { openServiceSecret } from "../src/service/service-secret.ts";
import { connect, type LooseClient } from "./grpc-client.ts";
import { endShopProcess, type ShopProcess, startShopProcess } from "./shop-process.ts";

/** A service of the shop in a process of its own. */
export interface StartedService {
  readonly process: ShopProcess;
  readonly address: string;
}

export interface BearerHeaders extends Record<string, string> {
  readonly authorization: string;
}

/** Metadata with a token that the services on a data folder take in development. */
export async function bearerIn(
  dataDir: string,
  token: Pick<DevelopmentToken, "role" | "subject" | "lifeMinutes">,
  audience: readonly string[] = ["user-service", "order-service"],
): Promise<BearerHeaders> {
  const signed = await signDevelopmentToken(openServiceSecret(join(dataDir, "secret.key")), { ...token, audience });
  return { authorization: `Bearer ${signed}` };
}

/** Services over one data folder, with their clients; all of it is gone after `end`. */
export interface ShopUnderTest {
  readonly dataDir: string;
  /** Starts a service on a free port. Without other arguments user-service finds no order-service. */
  start(name: "user-service" | "order-service", args?: readonly string[]): Promise<StartedService>;
  open(service: Parameters<typeof connect>[0], address: string): LooseClient;
  /** Metadata with a token that the services take in development. */
  tokenOf(role: TokenRole, subject?: string, lifeMinutes?: number): Promise<BearerHeaders>;
  /** Writes a file next to the data folder, and tells its path. */
  write(name: string, text: string): string;
  end(): Promise<void>;
}

/**
 * For tests that run side by side: each on free ports, with more calls than one client may make, on machines that have other
 * things to do.
 */
const sideBySide = [
  ...["user-port", "order-port", "metrics-port", "order-metrics-port"].map((port) => `--${port}=0`),
  ...["rate-limit", "address-rate-limit", "max-loop-delay-ms"].map((limit) => `--${limit}=0`),
];

/** The same with other flags; who gives the same flag wins. */
export function withSideBySide(args: readonly string[]): string[] {
  const flagOf = (arg: string) => arg.split("=")[0];
  return [...sideBySide.filter((one) => !args.some((arg) => flagOf(arg) === flagOf(one))), ...args];
}

const nowhere = "--order-address=127.0.0.1:1";

export function createShopUnderTest(): ShopUnderTest {
  const folder = mkdtempSync(join(tmpdir(), "tercel-shop-"));
  const dataDir = join(folder, "data");
  const processes: ShopProcess[] = [];
  const clients: LooseClient[] = [];
  return {
    dataDir,
    async start(name, args = [nowhere]) {
      const process = startShopProcess(`${name}/main`, withSideBySide([`--data-dir=${dataDir}`, ...args]));
      processes.push(process);
      const { address } = await process.record({ event: "listening" });
      assert.equal(typeof address, "string");
      return { process, address: address as string };
    },
    open(service, address) {
      const client = connect(service, address);
      clients.push(client);
      return client;
    },
    tokenOf: (role, subject = "somebody", lifeMinutes = 5) => bearerIn(dataDir, { role, subject, lifeMinutes }),
    write(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
    async end() {
      for (const client of clients.splice(0)) client.close();
      await Promise.all(processes.splice(0).map(endShopProcess));
      rmSync(folder, { recursive: true });
    },
  };
}
