import { relative } from "node:path";
import type { Channel } from "@tercel/grpc";
import { createHealthClient, type ReportedStatus } from "@tercel/grpc/services";
import { formatDuration } from "../frame/duration.ts";
import { openChannel } from "../target/open-channel.ts";
import { defaultTargetIn } from "../target/target-of.ts";
import { type CallExample, findCallExample } from "./call-example.ts";
import { developmentToken } from "./development-token.ts";
import type { ServiceProject } from "./find-services.ts";
import { condenseOutput } from "./output/condense-output.ts";
import type { DevPrinter } from "./output/dev-printer.ts";
import { isBackgroundCall } from "./output/log-text.ts";
import type { ServiceStatus } from "./output/status-lines.ts";
import { ownCommand } from "./own-command.ts";
import { type DevPlan, type DevSurroundings, planStart } from "./plan-start.ts";
import { describeOwner, type PortOwner, portOwners } from "./process/port-owner.ts";
import { type ServiceState, SupervisedService } from "./process/supervised-service.ts";
import { findPage } from "./served-page.ts";

const readyTimeoutMs = 2000;

/** A set of files that changed together. */
interface Change {
  readonly atMs: number;
  readonly files: readonly string[];
}

/** One service of `tercel dev`: its process and its status. */
export class DevService {
  readonly project: ServiceProject;
  readonly #around: DevSurroundings;
  readonly #printer: DevPrinter;
  readonly #onState: (state: ServiceState) => void;
  readonly #supervised: SupervisedService<DevPlan>;
  #address: string | undefined;
  #reason = "";
  #isExampleShown = false;
  /** The port last reported as taken, so that restarts do not repeat the report. */
  #taken: number | undefined;
  /** The log line that the process prints when it listens. */
  #ready = Promise.withResolvers<ReadyLine>();
  #changed: Change | undefined;
  /** The change that the next start is for. */
  #started: Change | undefined;
  #startedAtMs = 0;

  constructor(
    project: ServiceProject,
    around: DevSurroundings,
    printer: DevPrinter,
    onState: (state: ServiceState) => void,
  ) {
    this.project = project;
    this.#around = around;
    this.#printer = printer;
    this.#onState = onState;
    const { name, folder } = project;
    this.#supervised = new SupervisedService<DevPlan>({
      plan: () => {
        this.#ready = Promise.withResolvers();
        this.#startedAtMs = performance.now();
        this.#started = this.#changed ?? this.#started;
        this.#changed = undefined;
        return planStart(project, around);
      },
      onLine: (line) => {
        const ready = readReadyLine(line);
        if (ready !== undefined) this.#ready.resolve(ready);
        if (!isBackgroundCall(line)) printer.log(name, line);
      },
      note: (text) => printer.note(name, text),
      problem: (title, output) => printer.problem(name, title, condenseOutput(output, folder)),
      onState: () => {
        if (!isListening(this.#supervised.state)) this.#reason = "";
        onState(this.#supervised.state);
      },
      onListening: (plan, ended) => void this.#onListening(plan, ended),
      onPortTaken: (port, owner) => {
        this.#noteTaken(port, owner, "end it, or choose another port with --set");
      },
      onCrash: async ({ owners }) => {
        for (const [owner, host] of owners) await around.ports.forgetTaken(owner, host);
      },
    });
  }

  get status(): ServiceStatus {
    const { state, restarts } = this.#supervised;
    return { name: this.project.name, address: this.#address ?? "", state, restarts, reason: this.#reason };
  }

  /** Address while it listens: `127.0.0.1:50051`. */
  get target(): string | undefined {
    return isListening(this.#supervised.state) ? this.#address : undefined;
  }

  get startedOnce(): Promise<void> {
    return this.#supervised.startedOnce;
  }

  run(signal: AbortSignal): Promise<boolean> {
    return this.#supervised.run(signal);
  }

  kill(): void {
    this.#supervised.kill();
  }

  change(files: readonly string[]): void {
    this.#changed = { atMs: performance.now(), files };
    this.#supervised.change();
  }

  async #onListening(plan: DevPlan, ended: AbortSignal): Promise<void> {
    const address = plan.address === undefined ? (await this.#readyLine(ended))?.address : textOf(plan.address);
    if (address === undefined) return;
    this.#address = address;
    await this.#noteListening(plan);
    this.#onState(this.#supervised.state);
    const channel = openChannel({ target: this.#address, tlsSkipVerify: plan.isTls, header: [] }, this.#around.context);
    // Open calls would delay the drain.
    ended.addEventListener("abort", () => void channel.close({ deadlineMs: 0 }), { once: true });
    await this.#followHealth(channel, plan, ended);
  }

  /** Resolves to undefined if the process ends before it is ready. */
  #readyLine(ended: AbortSignal): Promise<ReadyLine | undefined> {
    const over = new Promise<undefined>((resolve) => ended.addEventListener("abort", () => resolve(undefined)));
    return Promise.race([this.#ready.promise, over]);
  }

  async #noteListening({ metrics, movedFrom }: DevPlan): Promise<void> {
    const changed = this.#started;
    this.#started = undefined;
    const at = `listens at ${this.#address}`;
    if (movedFrom !== undefined) {
      const [owner] = (await portOwners(movedFrom)) ?? [];
      this.#noteTaken(movedFrom, owner, "end it, and start this again to have that port");
    }
    if (changed !== undefined) {
      const [first = "", ...others] = changed.files.map((file) => relative(this.project.folder, file));
      const files = others.length === 0 ? first : `${first} and ${others.length} more`;
      this.#note(`${at} again, ${formatDuration(performance.now() - changed.atMs)} after the change of ${files}`);
    } else if (this.#supervised.restarts > 0) {
      this.#note(`${at} again`);
    } else {
      const shown = metrics === undefined ? "" : `, metrics at ${metrics}`;
      this.#note(`${at}${shown} (after ${formatDuration(performance.now() - this.#startedAtMs)})`);
    }
  }

  #noteTaken(port: number, owner: PortOwner | undefined, advice: string): void {
    if (this.#taken === port) return;
    this.#taken = port;
    this.#note(`port ${port} is taken by ${describeOwner(owner)}; ${advice}`);
  }

  async #followHealth(channel: Channel, plan: DevPlan, ended: AbortSignal): Promise<void> {
    try {
      for await (const status of createHealthClient(channel).watch("", { signal: ended })) {
        await this.#onHealth(status, plan, ended);
        if (status !== "SERVING" || this.#isExampleShown) continue;
        this.#isExampleShown = true;
        void this.#showExample(channel, plan, ended);
        void this.#showPage(plan, ended);
      }
    } catch {
      // The service has ended or has no health service; its process reports the reason.
    }
  }

  async #onHealth(status: ReportedStatus, { pages }: DevPlan, ended: AbortSignal): Promise<void> {
    const isServing = status === "SERVING";
    this.#reason = isServing || pages === undefined ? "" : await reasonAt(`${pages}/ready`, ended);
    this.#supervised.setHealth(isServing);
    this.#printer.refresh();
  }

  async #showExample(channel: Channel, { config, isTls }: DevPlan, ended: AbortSignal): Promise<void> {
    const { state } = this.#around;
    const token = this.#tokenFor(config);
    const example = await findCallExample(channel, token, ended).catch(() => undefined);
    if (example === undefined || ended.aborted) return;
    const file = example.needsToken && token !== undefined ? state.writeToken(this.project.name, token) : undefined;
    this.#note(`try: ${this.#callText(example, isTls, file)}`);
  }

  /** Prints the address of the service's page in a browser. */
  async #showPage({ config, isTls }: DevPlan, ended: AbortSignal): Promise<void> {
    const ready = await this.#readyLine(ended);
    const address = ready?.http ?? (config?.http === undefined ? undefined : ready?.address);
    if (address === undefined || isTls) return;
    const base = `http://${address.replace(/^(?:0\.0\.0\.0|\[?::\]?):/, "127.0.0.1:")}`;
    const page = await findPage(base, this.#tokenFor(config), ended);
    if (page !== undefined) this.#note(`page: ${page}`);
  }

  #tokenFor(config: DevPlan["config"]): string | undefined {
    return config === undefined ? undefined : developmentToken(config, this.#around.state.secret());
  }

  #callText({ method, data }: CallExample, isTls: boolean, tokenFile: string | undefined): string {
    const { cwd, env } = this.#around.context;
    // npm runs a script in the folder of package.json; INIT_CWD is the user's folder.
    const folder = env.INIT_CWD ?? cwd;
    const target = this.#address === defaultTargetIn(folder) ? "" : ` --target ${this.#address}`;
    return [
      `${ownCommand(folder)} call ${method}${target}`,
      isTls ? " --tls-skip-verify" : "",
      data === undefined ? "" : ` -d '${data.replaceAll("'", `'\\''`)}'`,
      tokenFile === undefined ? "" : ` -H "authorization: Bearer $(cat ${relative(folder, tokenFile)})"`,
    ].join("");
  }

  #note(text: string): void {
    this.#printer.note(this.project.name, text);
  }
}

function textOf({ host, port }: NonNullable<DevPlan["address"]>): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Addresses of a service: of gRPC, and of REST, Connect and gRPC-Web if on another port. */
interface ReadyLine {
  readonly address: string;
  readonly http: string | undefined;
}

/** Parses the kit's log line of a ready service: `{"message":"ready","address":"127.0.0.1:50051",…}`. */
function readReadyLine(line: string): ReadyLine | undefined {
  if (!line.includes('"ready"')) return undefined;
  try {
    const { message, address, http } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (message !== "ready" || typeof address !== "string") return undefined;
    return { address, http: typeof http === "string" ? http : undefined };
  } catch {
    return undefined;
  }
}

function isListening(state: ServiceState): boolean {
  return state === "serving" || state === "not serving" || state === "checking";
}

/** Fetches the reasons of `/ready`; empty when it cannot be reached. */
async function reasonAt(url: string, ended: AbortSignal): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([ended, AbortSignal.timeout(readyTimeoutMs)]) });
    const { reasons } = (await response.json()) as { readonly reasons?: readonly string[] };
    return reasons?.[0] ?? "";
  } catch {
    return "";
  }
}
