import type { LibraryPlan } from "../plan/library-plan.ts";
import { clientFile } from "../templates/library-client.ts";
import { libraryAgentsFile, libraryManifest, libraryReadmeFile } from "../templates/library-files.ts";
import { clientTestFile } from "../templates/library-test.ts";
import { bufFile, bufGenFile, tsconfigFile } from "../templates/project-files.ts";
import { protoFile } from "../templates/proto.ts";

/** Renders the files of a library that Tercel manages. */
export function renderManagedLibrary(plan: LibraryPlan): ReadonlyMap<string, string> {
  return new Map([
    ["package.json", libraryManifest(plan)],
    ["tsconfig.json", tsconfigFile()],
  ]);
}

/** Renders the files of a library that are written once. */
export function renderOwnedLibrary(plan: LibraryPlan): ReadonlyMap<string, string> {
  const { snake } = plan.names;
  return new Map([
    [".gitignore", "node_modules/\n"],
    ["AGENTS.md", libraryAgentsFile(plan)],
    ["README.md", libraryReadmeFile(plan)],
    ["buf.gen.yaml", bufGenFile()],
    ["buf.yaml", bufFile()],
    [`proto/${snake}/v1/${snake}.proto`, protoFile({ names: plan.names, hasEvents: false, hasGateway: false })],
    ["src/index.ts", clientFile(plan)],
    ["test/client.test.ts", clientTestFile(plan)],
  ]);
}
