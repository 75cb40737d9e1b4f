import { nearestName } from "@tercel/grpc/internal";
import { clientConcern } from "../../client.ts";
import type { Concern, Need, Provider } from "../../provider.ts";
import type { Needs } from "../definition/definition.ts";
import type { ConfiguredProvider } from "../run-config/run-config.ts";

/** A provider to open and the needs that use it. */
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

/** Order in which providers are opened; the application's own concerns follow. Events may use the database. */
const openOrder: readonly Concern[] = ["database", "cache", "events"];

/**
 * Finds the entry and the provider for each need, before anything opens.
 *
 * @throws Error with a paragraph for each unmet need: what is missing and what to add
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

/** Adds a provider that the kit itself uses to the plan, even if no need names it. */
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
      `${concern} "${wanted}" of needs.${key} is not configured${hint}${advice(concern, wanted, providers)}`,
    );
  }
  const chosen = candidates.find(({ isDefault }) => isDefault) ?? (candidates.length === 1 ? candidates[0] : undefined);
  if (chosen !== undefined) return chosen;
  if (candidates.length > 1) {
    throw new Error(
      `ambiguous ${concern} of needs.${key}: ${names.join(", ")} are configured; set ${concern}.default to one of them, or name it in the code`,
    );
  }
  throw new Error(`the service needs ${withArticle(concern)} ("${key}")${advice(concern, undefined, providers)}`);
}

/** Returns the lines to add to the configuration, for the first known provider. */
function advice(concern: Concern, name: string | undefined, providers: readonly Provider[]): string {
  const known = providers.filter((provider) => provider.concern === concern);
  const [first] = known;
  if (first === undefined) return `; no provider of this concern is known: add one to the definition's providers`;
  const entry = name ?? first.type;
  const type = entry === first.type ? [] : [`      type: ${first.type}`];
  const lines = [`${concern}:`, "  providers:", `    ${entry}:${type.length === 0 ? " {}" : ""}`, ...type];
  const others = known.map((one) => one.type).join(", ");
  return `; add to the configuration (types: ${others}):\n${lines.join("\n")}`;
}

/** "a database", but "events": a concern in the plural has no article. */
function withArticle(concern: Concern): string {
  if (concern === "events") return concern;
  return `${/^[aeiou]/.test(concern) ? "an" : "a"} ${concern}`;
}

/** Returns the provider of an entry. @throws Error that lists the known types */
export function providerFor(entry: ConfiguredProvider, providers: readonly Provider[]): Provider {
  const known = providers.filter(({ concern }) => concern === entry.concern);
  const found = known.find(({ type, aliases = [] }) => type === entry.type || aliases.includes(entry.type));
  if (found !== undefined) return found;
  const types = known.map(({ type }) => type);
  const nearest = nearestName(entry.type, types);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  throw new Error(
    `unknown type "${entry.type}" of ${entry.concern}.providers.${entry.name}${hint || ";"} known types: ${types.join(", ")}; add your own provider to the definition's providers`,
  );
}
