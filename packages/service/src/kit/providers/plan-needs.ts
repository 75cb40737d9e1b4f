import { nearestName } from "@tercel/grpc/internal";
import type { Concern, Need, Provider } from "../../provider.ts";
import type { Needs } from "../definition/definition.ts";
import type { ConfiguredProvider } from "../run-config/run-config.ts";

/** A provider that must be opened, and the needs that are made from it. */
export interface PlannedProvider {
  readonly entry: ConfiguredProvider;
  readonly provider: Provider;
  readonly needs: readonly PlannedNeed[];
}

export interface PlannedNeed {
  /** The key in `needs`. */
  readonly key: string;
  readonly need: Need<unknown>;
}

/** The order in which providers open; concerns of the application's own follow. Events may use the database. */
const openOrder: readonly Concern[] = ["database", "cache", "events"];

/** Needs that are not made from an entry of the configuration, but by the kit. */
export const clientConcern = "client";

/**
 * Finds the entry and the provider for each need, before anything opens. Pure.
 *
 * @throws Error with a paragraph for each need that cannot be met: what is missing and what to add
 */
export function planNeeds(
  needs: Needs,
  entries: readonly ConfiguredProvider[],
  providers: readonly Provider[],
): readonly PlannedProvider[] {
  const problems: string[] = [];
  const planned = new Map<
    ConfiguredProvider,
    { entry: ConfiguredProvider; provider: Provider; needs: PlannedNeed[] }
  >();
  for (const [key, need] of Object.entries(needs)) {
    if (need.concern === clientConcern) continue;
    try {
      const entry = entryFor(key, need, entries, providers);
      const known = planned.get(entry) ?? { entry, provider: providerFor(entry, providers), needs: [] };
      planned.set(entry, known);
      known.needs.push({ key, need });
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return [...planned.values()].toSorted((a, b) => rankOf(a.entry) - rankOf(b.entry));
}

/** The plan with a provider that the kit itself uses, and that is opened although no need may name it. */
export function withProvider(
  plan: readonly PlannedProvider[],
  entry: ConfiguredProvider,
  providers: readonly Provider[],
): readonly PlannedProvider[] {
  if (plan.some((planned) => planned.entry === entry)) return plan;
  return [...plan, { entry, provider: providerFor(entry, providers), needs: [] }];
}

function rankOf({ concern }: ConfiguredProvider): number {
  const rank = openOrder.indexOf(concern);
  return rank < 0 ? openOrder.length : rank;
}

function entryFor(
  key: string,
  { concern, provider: wanted }: Need<unknown>,
  entries: readonly ConfiguredProvider[],
  providers: readonly Provider[],
): ConfiguredProvider {
  const candidates = entries.filter((entry) => entry.concern === concern);
  const names = candidates.map(({ name }) => name);
  if (wanted !== undefined) {
    const found = candidates.find(({ name }) => name === wanted);
    if (found !== undefined) return found;
    const nearest = nearestName(wanted, names);
    const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    throw new Error(
      `needs.${key} is the ${concern} "${wanted}", which is not configured${hint}${advice(concern, wanted, providers)}`,
    );
  }
  const chosen = candidates.find(({ isDefault }) => isDefault) ?? (candidates.length === 1 ? candidates[0] : undefined);
  if (chosen !== undefined) return chosen;
  if (candidates.length > 1) {
    throw new Error(
      `needs.${key} is a ${concern}, and several are configured: ${names.join(", ")}; set ${concern}.default to one of them, or name it in the code`,
    );
  }
  throw new Error(
    `the service needs ${article(concern)} ${concern} ("${key}")${advice(concern, undefined, providers)}`,
  );
}

/** The lines to add to the configuration, for the first provider that is known. */
function advice(concern: Concern, name: string | undefined, providers: readonly Provider[]): string {
  const known = providers.filter((provider) => provider.concern === concern);
  const [first] = known;
  if (first === undefined) return `; no provider of that concern is known, pass one in the definition's providers`;
  const entry = name ?? first.type;
  const type = entry === first.type ? [] : [`      type: ${first.type}`];
  const lines = [`${concern}:`, "  providers:", `    ${entry}:${type.length === 0 ? " {}" : ""}`, ...type];
  const others = known.map((one) => one.type).join(", ");
  return `; add to the configuration (types: ${others}):\n${lines.join("\n")}`;
}

function article(word: string): string {
  return /^[aeiou]/.test(word) ? "an" : "a";
}

/** @throws Error that names the known types */
export function providerFor(entry: ConfiguredProvider, providers: readonly Provider[]): Provider {
  const known = providers.filter(({ concern }) => concern === entry.concern);
  const found = known.find(({ type, aliases = [] }) => type === entry.type || aliases.includes(entry.type));
  if (found !== undefined) return found;
  const types = known.map(({ type }) => type);
  const nearest = nearestName(entry.type, types);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  throw new Error(
    `${entry.concern}.providers.${entry.name} has the type "${entry.type}", which is not known${hint} Known types: ${types.join(", ")}. A provider of your own goes into the definition's providers`,
  );
}
