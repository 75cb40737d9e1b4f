import { clientConcern } from "../../client.ts";
import type { Lifecycle } from "../../lifecycle/lifecycle-contract.ts";
import type { Concern, NeedHost, NeedPart } from "../../provider.ts";
import type { Needs } from "../definition/definition.ts";
import { type OpenContext, type OpenProvider, openProvider } from "./open-provider.ts";
import type { PlannedProvider } from "./plan-needs.ts";

/** The opened needs. */
export interface MetNeeds {
  /** Ports by the keys of `needs`. */
  readonly ports: Readonly<Record<string, unknown>>;
  readonly providers: readonly OpenProvider[];
  /** Starts the work of every part, once the handlers are registered. */
  begin(): Promise<void>;
  /** Pauses the work of every part. */
  pause(): Promise<void>;
}

/** Creates the parts of needs without a provider: clients of other services. */
export type PrepareClient = (key: string, need: Needs[string]) => NeedPart<unknown> | Promise<NeedPart<unknown>>;

/**
 * Opens every provider in the order of the plan and creates the parts of the needs. A failure undoes the previous parts, as for everything that a
 * lifecycle starts.
 */
export async function meetNeeds(
  life: Lifecycle,
  needs: Needs,
  plan: readonly PlannedProvider[],
  context: OpenContext,
  prepareClient: PrepareClient,
): Promise<MetNeeds> {
  const providers: OpenProvider[] = [];
  for (const planned of plan) providers.push(await openProvider(life, planned, context));
  const parts: NeedPart<unknown>[] = [];
  const ports: Record<string, unknown> = {};
  const ended = new Set<NeedPart<unknown>>();

  function end(part: NeedPart<unknown>): void | Promise<void> {
    if (ended.has(part)) return undefined;
    ended.add(part);
    return part.end?.();
  }

  async function prepare(key: string, make: () => NeedPart<unknown> | Promise<NeedPart<unknown>>): Promise<void> {
    const part = await life.start(`needs.${key}`, make, end);
    parts.push(part);
    ports[key] = part.port;
  }

  for (const [at, { needs: planned }] of plan.entries()) {
    const open = providers[at] as OpenProvider;
    for (const { key, need } of planned) {
      await prepare(key, () => need.prepare(open.opened.port, needHost(key, open, providers)));
    }
  }
  for (const [key, need] of Object.entries(needs)) {
    if (need.concern === clientConcern) await prepare(key, () => prepareClient(key, need));
  }

  return {
    ports,
    providers,
    async begin() {
      // Ended here, before channels and other dependencies of their work are closed.
      await life.start(
        "background work",
        async () => {
          for (const part of parts) await part.begin?.();
        },
        () => inReverse(parts, end),
      );
    },
    async pause() {
      await inReverse(parts, (part) => part.pause?.());
    },
  };
}

/** Runs a step for all items in reverse; continues after a failure and rejects with the first one. */
async function inReverse<Item>(items: readonly Item[], run: (item: Item) => unknown): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items.toReversed()) {
    try {
      await run(item);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function needHost(key: string, { opened, host }: OpenProvider, providers: readonly OpenProvider[]): NeedHost {
  return {
    ...host,
    need: key,
    describe: opened.describe,
    portOf(concern: Concern, name?: string) {
      const of = providers.filter(({ entry }) => entry.concern === concern);
      const wanted = of.find(({ entry }) => (name === undefined ? entry.isDefault : entry.name === name));
      return (wanted ?? (name === undefined && of.length === 1 ? of[0] : undefined))?.opened.port;
    },
  };
}
