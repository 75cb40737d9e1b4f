/** Returns the package.json that users get, without the parts that only the workspace needs. */
export function publishedManifest(manifest: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { scripts: _scripts, devDependencies: _devDependencies, ...published } = manifest;
  const { exports } = published;
  return isObject(exports) ? { ...published, exports: withoutSources(exports) } : published;
}

/**
 * With the condition "source", the workspace imports TypeScript. If a user's workspace has a condition of that name, it would import TypeScript
 * too, which Node does not run below node_modules.
 */
function withoutSources(exports: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(exports).map(([subpath, target]) => {
      if (!isObject(target)) return [subpath, target];
      const { source: _source, ...conditions } = target;
      return [subpath, conditions];
    }),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
