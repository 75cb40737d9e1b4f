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
import { type DevPlan, type DevSurroundings, planStart } from "./plan-start.ts";
import { type ServiceState, SupervisedService } from "./process/supervised-service.ts";

const readyTimeoutMs = 2000;

/** Files that have changed together. */
interface Change {
  readonly atMs: number;
  readonly files: readonly string[];
}

/** One service of `tercel dev`: its process, and what a person wants to know about it. */
export class DevService {
  readonly project: ServiceProject;
  readonly #around: DevSurroundings;
  readonly #printer: DevPrinter;
  readonly #onState: (state: ServiceState) => void;
  readonly #supervised: SupervisedService<DevPlan>;
  #address: string | undefined;
  #reason = "";
  #isExampleShown = false;
  /** Where the process says that it listens. */
  #ready = Promise.withResolvers<string>();
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
        const address = readyAddress(line);
        if (address !== undefined) this.#ready.resolve(address);
        if (!isBackgroundCall(line)) printer.log(name, line);
      },
      note: (text) => printer.note(name, text),
      problem: (title, output) => printer.problem(name, title, condenseOutput(output, folder)),
      onState: () => {
        if (!isListening(this.#supervised.state)) this.#reason = "";
        onState(this.#supervised.state);
      },
      onListening: (plan, ended) => void this.#onListening(plan, ended),
      onCrash: async ({ owners }) => {
        for (const [owner, host] of owners) await around.ports.forgetTaken(owner, host);
      },
    });
  }

  get status(): ServiceStatus {
    const { state, restarts } = this.#supervised;
    return { name: this.project.name, address: this.#address ?? "", state, restarts, reason: this.#reason };
  }

  /** `127.0.0.1:50051` while it listens. */
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
    const address = plan.address === undefined ? await this.#addressOfLog(ended) : textOf(plan.address);
    if (address === undefined) return;
    this.#address = address;
    this.#noteListening(plan);
    this.#onState(this.#supervised.state);
    const channel = openChannel({ target: this.#address, tlsSkipVerify: plan.isTls, header: [] }, this.#around.context);
    // Calls that are open would hold up the drain.
    ended.addEventListener("abort", () => void channel.close({ deadlineMs: 0 }), { once: true });
    await this.#followHealth(channel, plan, ended);
  }

  /** Where the configuration does not say it, the service does when it is ready. */
  #addressOfLog(ended: AbortSignal): Promise<string | undefined> {
    const over = new Promise<undefined>((resolve) => ended.addEventListener("abort", () => resolve(undefined)));
    return Promise.race([this.#ready.promise, over]);
  }

  #noteListening({ metrics }: DevPlan): void {
    const changed = this.#started;
    this.#started = undefined;
    const at = `listens at ${this.#address}`;
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

  async #followHealth(channel: Channel, plan: DevPlan, ended: AbortSignal): Promise<void> {
    try {
      for await (const status of createHealthClient(channel).watch("", { signal: ended })) {
        await this.#onHealth(status, plan, ended);
        if (status === "SERVING" && !this.#isExampleShown) void this.#showExample(channel, plan, ended);
      }
    } catch {
      // The service ends, or has no health; its process says the rest.
    }
  }

  async #onHealth(status: ReportedStatus, { pages }: DevPlan, ended: AbortSignal): Promise<void> {
    const isServing = status === "SERVING";
    this.#reason = isServing || pages === undefined ? "" : await reasonAt(`${pages}/ready`, ended);
    this.#supervised.setHealth(isServing);
    this.#printer.refresh();
  }

  async #showExample(channel: Channel, { config, isTls }: DevPlan, ended: AbortSignal): Promise<void> {
    this.#isExampleShown = true;
    const { state } = this.#around;
    const token = config === undefined ? undefined : developmentToken(config, state.secret());
    const example = await findCallExample(channel, token, ended).catch(() => undefined);
    if (example === undefined || ended.aborted) return;
    const file = example.needsToken && token !== undefined ? state.writeToken(this.project.name, token) : undefined;
    this.#note(`try: ${this.#callText(example, isTls, file)}`);
  }

  #callText({ method, data }: CallExample, isTls: boolean, tokenFile: string | undefined): string {
    const { cwd } = this.#around.context;
    const target = this.#address === defaultTargetIn(cwd) ? "" : ` --target ${this.#address}`;
    return [
      `npx tercel call ${method}${target}`,
      isTls ? " --tls-skip-verify" : "",
      data === undefined ? "" : ` -d '${data.replaceAll("'", `'\\''`)}'`,
      tokenFile === undefined ? "" : ` -H "authorization: Bearer $(cat ${relative(cwd, tokenFile)})"`,
    ].join("");
  }

  #note(text: string): void {
    this.#printer.note(this.project.name, text);
  }
}

function textOf({ host, port }: NonNullable<DevPlan["address"]>): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What the kit logs when a service is ready: `{"message":"ready","address":"127.0.0.1:50051",…}`. */
function readyAddress(line: string): string | undefined {
  if (!line.includes('"ready"')) return undefined;
  try {
    const { message, address } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return message === "ready" && typeof address === "string" ? address : undefined;
  } catch {
    return undefined;
  }
}

function isListening(state: ServiceState): boolean {
  return state === "serving" || state === "not serving" || state === "checking";
}

/** What `/ready` gives as the reasons; empty when it cannot be asked. */
async function reasonAt(url: string, ended: AbortSignal): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([ended, AbortSignal.timeout(readyTimeoutMs)]) });
    const { reasons } = (await response.json()) as { readonly reasons?: readonly string[] };
    return reasons?.[0] ?? "";
  } catch {
    return "";
  }
}
