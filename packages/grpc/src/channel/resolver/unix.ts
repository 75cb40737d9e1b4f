import type { ResolverFactory } from "./index.ts";
import { reportAddresses } from "./static.ts";

/** The resolver for `unix:path` and `unix:///path`. A relative path is relative to the working directory. */
export const unixResolver: ResolverFactory = { scheme: "unix", create: reportAddresses };
