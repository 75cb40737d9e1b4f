/** The package.json that users get: without what only the workspace needs. */
export function publishedManifest(manifest: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { scripts: _scripts, devDependencies: _devDependencies, ...published } = manifest;
  const { exports } = published;
  return isObject(exports) ? { ...published, exports: withoutSources(exports) } : published;
}

/**
 * The condition "source" leads the workspace to TypeScript. A user whose own workspace has a condition of that name would be led there
 * as well, and Node runs no TypeScript below node_modules.
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
