import type { Interceptor } from "@connectrpc/connect";
import type { StackSlots } from "./compose-stack.ts";

/** What a feature adds to a stack. `Extras` is what it has besides its interceptor. */
export interface BuiltFeature<Extras> {
  readonly interceptor: Interceptor;
  readonly extras?: Extras;
  close?(): void;
}

/** Loads a feature and builds it; features that are off are not imported. */
export type BuildFeature<Options, Shared, Extras> = (options: Options, shared: Shared) => Promise<BuiltFeature<Extras>>;

/** What is configured for each feature: its options, true for its defaults, false to leave it out. */
export type FeatureConfigs<Feature extends string> = Readonly<Partial<Record<Feature, object | boolean | undefined>>>;

/** Features as they were built, the outermost first. */
export interface BuiltFeatures<Feature extends string, Extras> {
  readonly interceptors: ReadonlyMap<Feature, Interceptor>;
  readonly extras: Extras;
  close(): void;
}

/** What to build, and how. */
export interface BuildPlan<Feature extends string, Shared, Extras> {
  readonly where: string;
  readonly order: readonly Feature[];
  /** On unless they are switched off. */
  readonly onByDefault: readonly Feature[];
  readonly features: { readonly [F in Feature]: BuildFeature<never, Shared, Extras> };
}

/**
 * Builds the features that are on, from the outermost inwards. When one of them fails, those before it are closed.
 *
 * @throws TypeError for a feature that is configured and replaced or left out at once
 */
export async function buildFeatures<Feature extends string, Shared, Extras extends object>(
  plan: BuildPlan<Feature, Shared, Extras>,
  configs: FeatureConfigs<Feature>,
  slots: StackSlots<Feature>,
  shared: Shared,
): Promise<BuiltFeatures<Feature, Extras>> {
  const interceptors = new Map<Feature, Interceptor>();
  const closers: (() => void)[] = [];
  const extras = {} as Extras;
  const close = (): void => {
    for (let end = closers.pop(); end !== undefined; end = closers.pop()) end();
  };
  try {
    for (const name of plan.order) {
      const options = optionsOf(plan, name, configs[name], slots);
      if (options === undefined) continue;
      const built = await plan.features[name](options as never, shared);
      interceptors.set(name, built.interceptor);
      Object.assign(extras, built.extras);
      if (built.close !== undefined) closers.push(() => built.close?.());
    }
  } catch (error) {
    close();
    throw error;
  }
  return { interceptors, extras, close };
}

/** The options to build a feature with; undefined when it is off. */
function optionsOf<Feature extends string, Shared, Extras>(
  { where, onByDefault }: BuildPlan<Feature, Shared, Extras>,
  name: Feature,
  config: object | boolean | undefined,
  { replace, without = [] }: StackSlots<Feature>,
): object | undefined {
  const slot = replace?.[name] !== undefined ? "replace" : without.includes(name) ? "without" : undefined;
  if (slot !== undefined && config !== undefined && config !== false) {
    throw new TypeError(`${where}: ${name} is configured and in ${slot}; remove one of them`);
  }
  if (slot !== undefined || config === false) return undefined;
  if (typeof config === "object" && config !== null) return config;
  if (config !== undefined && config !== true) {
    throw new TypeError(`${where}: ${name} must be its options, true or false`);
  }
  return config === true || onByDefault.includes(name) ? {} : undefined;
}
