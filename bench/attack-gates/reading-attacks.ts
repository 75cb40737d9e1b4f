import { sendInflatedMessages } from "./inflated-messages.ts";
import { sendUnfinishedMessages } from "./unfinished-messages.ts";

/** Attacks that depend on what the server says, by name. The others are bytes that are sent as fast as they are taken. */
export const readingAttacks: Readonly<Record<string, (port: number) => Promise<never>>> = {
  "messages of 4 MiB without their last byte": sendUnfinishedMessages,
  "inflated messages of 4 MiB, queued on every stream": sendInflatedMessages,
};
