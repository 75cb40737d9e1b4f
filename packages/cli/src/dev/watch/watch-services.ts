import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { isPartOfService, watchFolders } from "./folder-watch.ts";
import { isBelow } from "./is-below.ts";

/** A service that is notified of changed files. */
interface Changeable {
  readonly project: { readonly folder: string };
  change(files: readonly string[]): void;
}

/**
 * Notifies each service of its changed files. Returns a function that stops watching.
 *
 * @param isForeign whether no service uses a file, although it is in the folder of one
 */
export function watchServices(
  services: readonly Changeable[],
  root: string,
  isForeign: (file: string) => boolean,
): () => void {
  const folders = services.map(({ project }) => project.folder);
  const watched = services.map(({ project }) => partsOf(project.folder, root));
  const all = [...new Set(watched.flat())];
  // A folder below another one is watched with it.
  const top = all.filter((folder) => !all.some((other) => folder.startsWith(other + sep)));
  const isWatched = (file: string): boolean => isPartOfService(file) && !isForeign(file);
  return watchFolders(top, isWatched, (files) => {
    for (const [at, service] of services.entries()) {
      const others = folders.filter((folder) => folder !== folders[at] && !isBelow(folders[at] ?? "", folder));
      const own = files.filter(
        (file) =>
          (watched[at] ?? []).some((part) => isBelow(file, part)) && !others.some((other) => isBelow(file, other)),
      );
      if (own.length > 0) service.change(own);
    }
  });
}

/** Returns the folders of a service's package and of the workspace packages that it depends on. */
function partsOf(folder: string, root: string): readonly string[] {
  const own = packageFolder(folder, root) ?? folder;
  const parts = new Set<string>([own]);
  const workspace = workspaceRoot(own);
  const visit = (at: string): void => {
    for (const dependency of linkedPackages(at, workspace)) {
      if (parts.has(dependency)) continue;
      parts.add(dependency);
      visit(dependency);
    }
  };
  visit(own);
  return [...parts];
}

/** Returns the nearest folder with a package.json, from the service up to the root. */
function packageFolder(folder: string, root: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, "package.json"))) return at;
    if (at === root || dirname(at) === at) return undefined;
  }
}

/** Returns the root of the workspace that installs a package's dependencies; the package itself without a workspace. */
function workspaceRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, "pnpm-workspace.yaml")) || readManifest(at)?.workspaces !== undefined) return at;
    if (dirname(at) === at) return folder;
  }
}

/** Returns dependencies that are links to sources in the workspace. */
function linkedPackages(folder: string, workspace: string): string[] {
  const manifest = readManifest(folder);
  const places = createRequire(join(folder, "package.json")).resolve.paths("a") ?? [];
  return Object.keys(manifest?.dependencies ?? {}).flatMap((name) => {
    const found = places.map((place) => join(place, name)).find((path) => existsSync(path));
    if (found === undefined) return [];
    const real = realpathSync(found);
    return isBelow(real, workspace) && !real.includes(`${sep}node_modules${sep}`) ? [real] : [];
  });
}

function readManifest(folder: string): { readonly dependencies?: object; readonly workspaces?: unknown } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as object;
  } catch {
    return undefined;
  }
}
