import type { Interceptor } from "@connectrpc/connect";
import type { StackSlots } from "./compose-stack.ts";

/** A built feature of a stack: its interceptor, and `Extras` of the stack that come from it. */
export interface BuiltFeature<Extras> {
  readonly interceptor: Interceptor;
  readonly extras?: Extras;
  close?(): void;
}

/** Imports and builds a feature. Not called for features that are off. */
export type BuildFeature<Options, Shared, Extras> = (options: Options, shared: Shared) => Promise<BuiltFeature<Extras>>;

/** The configuration of each feature: its options, true for its defaults, or false to leave it out. */
export type FeatureConfigs<Feature extends string> = Readonly<Partial<Record<Feature, object | boolean | undefined>>>;

/** The built features, outermost first. */
export interface BuiltFeatures<Feature extends string, Extras> {
  readonly interceptors: ReadonlyMap<Feature, Interceptor>;
  readonly extras: Extras;
  close(): void;
}

/** The features of a stack, their order, and how to build them. */
export interface BuildPlan<Feature extends string, Shared, Extras> {
  readonly where: string;
  readonly order: readonly Feature[];
  /** The features that are on unless they are switched off. */
  readonly onByDefault: readonly Feature[];
  readonly features: { readonly [F in Feature]: BuildFeature<never, Shared, Extras> };
}

/**
 * Builds the features that are on, outermost first. If one of them fails, the ones before it are closed.
 *
 * Rejects with a TypeError for a feature that is both configured and replaced or left out.
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

/** Returns the options of a feature, or undefined if it is off. */
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
