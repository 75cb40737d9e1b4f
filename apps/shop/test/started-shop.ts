import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts } from "@tercel/test-support/servers";
import { type ServiceName, serviceNames } from "./development-secret.ts";
import { isRunning, type ShopProcess, untilEnded, watchShopProcess } from "./shop-process.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The shop, run by `npm start`. */
export interface StartedShop {
  readonly process: ShopProcess;
  /** Resolves to the address of a service in the n-th line about it, by default the first. */
  addressOf(service: ServiceName, nth?: number): Promise<string>;
  /** The current processes of `tercel dev` and the services. */
  pids(): { readonly dev: number; readonly services: readonly number[] };
  pidOf(service: ServiceName): number;
}

/** Creates a checkout in which `npm start` can run without changing this one. `variables` are set for everything that starts there. */
export async function createCheckout(variables: Readonly<Record<string, string>> = {}): Promise<Checkout> {
  const [httpPort = 0] = await freePorts(1);
  return new Checkout(variables, httpPort);
}

/** A checkout with links to the sources of this one. */
export class Checkout {
  readonly folder = mkdtempSync(join(tmpdir(), "tercel-npm-start-"));
  readonly shop = join(this.folder, "apps/shop");
  readonly #variables: Readonly<Record<string, string>>;
  /** Without watching files, which other tests may change. */
  readonly #options: readonly string[];
  readonly #started: { readonly process: ShopProcess; readonly pids: number[] }[] = [];

  constructor(variables: Readonly<Record<string, string>>, httpPort: number) {
    this.#variables = variables;
    this.#options = ["--no-watch", "--set", `user-service:communication.providers.http.port=${httpPort}`];
    mkdirSync(this.shop, { recursive: true });
    cpSync(join(root, "package.json"), join(this.folder, "package.json"));
    for (const name of ["node_modules", "packages", "tools"]) symlinkSync(join(root, name), join(this.folder, name));
    for (const name of ["package.json", "tercel.yaml"]) cpSync(join(root, "apps/shop", name), join(this.shop, name));
    for (const name of ["config", "src", "web"]) symlinkSync(join(root, "apps/shop", name), join(this.shop, name));
  }

  /** Starts it with npm, on free ports and in its own process group, as in a terminal. */
  npmStart(args: readonly string[] = []): StartedShop {
    return this.#watch(["npm", "start", "--", ...this.#options, ...args], this.folder);
  }

  /** Starts it with npm's command, but without npm. */
  start(args: readonly string[] = []): StartedShop {
    const main = join(root, "packages/cli/src/main.ts");
    return this.#watch([process.execPath, "--conditions=source", main, "dev", ...this.#options, ...args], this.shop);
  }

  /** Runs a script of the checkout, such as `token`. */
  npmRun(script: string, args: readonly string[] = []): ShopProcess {
    return watchShopProcess(["npm", "run", "--silent", script, "--", ...args], { cwd: this.folder, env: this.env });
  }

  /** Ends running processes gracefully, so that services end before their folder is removed. */
  async end(): Promise<void> {
    for (const { process: started, pids } of this.#started) {
      started.signal("SIGTERM");
      await started.ended;
      for (const pid of pids) {
        if (isRunning(pid)) process.kill(pid, "SIGKILL");
        await untilEnded(pid);
      }
    }
    rmSync(this.folder, { recursive: true });
  }

  /** Returns the variables of a shell, without those of the npm that runs the tests. */
  get env(): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/.test(name));
    const data = join(this.folder, "data");
    return { ...Object.fromEntries(inherited), ...settings, SHOP_DATA: data, ...this.#variables };
  }

  #watch(command: readonly string[], cwd: string): StartedShop {
    const started = watchShopProcess(command, { cwd, env: this.env, detached: true });
    const pids: number[] = [];
    this.#started.push({ process: started, pids });
    const shop: StartedShop = {
      process: started,
      addressOf: async (service, nth) =>
        (await started.says(new RegExp(`^${service} +listens at (127\\.0\\.0\\.1:\\d+)`, "m"), nth))[1] ?? "",
      pids() {
        const dev = devBelow(started.pid);
        const services = childrenOf(dev);
        pids.push(dev, ...services);
        return { dev, services };
      },
      pidOf(service) {
        const isIts = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`/${service}/main.ts`);
        return shop.pids().services.find(isIts) ?? assert.fail(`${service} does not run`);
      },
    };
    return shop;
  }
}

const settings = {
  TERCEL__SERVICE__PORT: "0",
  TERCEL__MONITORING__PROVIDERS__PROMETHEUS__ENDPOINT: "127.0.0.1:0",
};

/** Fields of a running process; see proc(5). */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/** npm starts a shell, which starts `tercel dev`. Only `tercel dev` has a child for each service. */
function devBelow(pid: number): number {
  const children = childrenOf(pid);
  if (children.length >= serviceNames.length) return pid;
  return devBelow(children[0] ?? assert.fail("the services do not run"));
}
