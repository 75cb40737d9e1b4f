/**
 * Gives a module that was loaded by `import()` the named exports of a CommonJS package. Node finds them in its code; esbuild leaves the default
 * export alone when it puts the package into a file of its own, as `tercel build` does.
 */
export function withNamedExports<T>(module: T): T {
  const { default: whole } = module as { readonly default?: unknown };
  const hasNone = Object.keys(module as object).every((name) => name === "default");
  if (!hasNone || (typeof whole !== "object" && typeof whole !== "function") || whole === null) return module;
  // Inherited: some exports are getters that load more.
  return Object.create(whole, { default: { value: whole, enumerable: true } }) as T;
}
