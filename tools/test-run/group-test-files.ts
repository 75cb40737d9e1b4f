import type { TestUsage } from "./test-usage.ts";

export interface GroupingOptions {
  readonly files: readonly string[];
  /** The usage in earlier runs. */
  readonly usages: readonly TestUsage[];
  /** Whether a file must run in its own process. */
  isAlone(file: string): boolean;
}

/** The files of a group wait for each other. */
const mostFiles = 32;
/** A file that takes more gains little from a shared start. Time counts as well, because some files mostly wait. */
const mostOfFile: Cost = { seconds: 30, cpuSeconds: 5 };
/** The limit of a group, so that the last group does not run long while the other cores are idle. */
const mostOfGroup: Cost = { seconds: 60, cpuSeconds: 12 };
/** Assumed for a file that never ran. Those of an application start whole programs. */
const assumed: Cost = { seconds: 1, cpuSeconds: 0.5 };
const assumedOfApplication: Cost = { seconds: 10, cpuSeconds: 4 };

type Cost = Omit<TestUsage, "file">;

/**
 * Groups test files, each group for one process. The files of a group are neighbours in one package, so they load the same
 * sources. The order of the files is kept.
 */
export function groupTestFiles({ files, usages, isAlone }: GroupingOptions): string[][] {
  const known = new Map<string, Cost>(usages.map((usage) => [usage.file, usage]));
  const groups: string[][] = [];
  let open: { readonly package: string; readonly files: string[]; cost: Cost } | undefined;
  for (const file of files) {
    const cost = known.get(file) ?? (/^apps\/[^/]+\/test\//.test(file) ? assumedOfApplication : assumed);
    if (isAlone(file) || !isWithin(cost, mostOfFile)) {
      groups.push([file]);
      continue;
    }
    const hasRoom =
      open !== undefined &&
      open.package === packageOf(file) &&
      open.files.length < mostFiles &&
      isWithin(sum(open.cost, cost), mostOfGroup);
    if (open === undefined || !hasRoom) {
      open = { package: packageOf(file), files: [], cost: { seconds: 0, cpuSeconds: 0 } };
      groups.push(open.files);
    }
    open.files.push(file);
    open.cost = sum(open.cost, cost);
  }
  return groups;
}

function sum(a: Cost, b: Cost): Cost {
  return { seconds: a.seconds + b.seconds, cpuSeconds: a.cpuSeconds + b.cpuSeconds };
}

function isWithin(cost: Cost, limit: Cost): boolean {
  return cost.seconds <= limit.seconds && cost.cpuSeconds <= limit.cpuSeconds;
}

/** `packages/grpc` and `apps/shop` are packages; the folders of `examples` and `tools` are not. */
function packageOf(file: string): string {
  const [first = "", second = ""] = file.split("/");
  return first === "packages" || first === "apps" ? `${first}/${second}` : first;
}
