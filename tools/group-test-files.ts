import type { TestUsage } from "./test-usage.ts";

export interface GroupingOptions {
  readonly files: readonly string[];
  /** What is known of earlier runs. */
  readonly usages: readonly TestUsage[];
  /** Whether a file has to run in a process of its own. */
  isAlone(file: string): boolean;
}

/** Twice as many save little more, and the files of a group wait for each other. */
const mostFilesInGroup = 16;
/** A group takes no longer than this, so that the last one does not run while the other cores have nothing to do. */
const mostSecondsInGroup = 20;
/** A file that takes longer gains nothing from a shared start. */
const mostSecondsInFile = 8;
/** Assumed of a file that never ran. */
const assumedSeconds = 1;

/**
 * Groups of test files that run in one process each. The files of a group are neighbours in one package, so that they load the same
 * sources; the order of the files is kept.
 */
export function groupTestFiles({ files, usages, isAlone }: GroupingOptions): string[][] {
  const known = new Map(usages.map(({ file, seconds }) => [file, seconds]));
  const groups: string[][] = [];
  let open: { readonly package: string; readonly files: string[]; seconds: number } | undefined;
  for (const file of files) {
    const seconds = known.get(file) ?? assumedSeconds;
    if (isAlone(file) || seconds > mostSecondsInFile) {
      groups.push([file]);
      continue;
    }
    const hasRoom =
      open !== undefined &&
      open.package === packageOf(file) &&
      open.files.length < mostFilesInGroup &&
      open.seconds + seconds <= mostSecondsInGroup;
    if (open === undefined || !hasRoom) {
      open = { package: packageOf(file), files: [], seconds: 0 };
      groups.push(open.files);
    }
    open.files.push(file);
    open.seconds += seconds;
  }
  return groups;
}

/** `packages/grpc` and `apps/shop` are packages; the folders of `examples` and `tools` are not. */
function packageOf(file: string): string {
  const [first = "", second = ""] = file.split("/");
  return first === "packages" || first === "apps" ? `${first}/${second}` : first;
}
